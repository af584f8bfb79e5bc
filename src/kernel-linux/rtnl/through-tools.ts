// One request by the command that it is (kernel/rtnl/words.ts): ip(8), bridge(8) or sysctl(8) does it, and its words are read.

import type { KernelError } from '../../kernel/kernel.ts'
import type { Request } from '../../kernel/rtnl/request.ts'
import { commandOf } from '../../kernel/rtnl/words.ts'
import { E, type Either } from '../../prelude.ts'
import { type Complaint, complaintAbout } from '../errno.ts'
import type { Names } from '../names.ts'
import { portError } from '../place.ts'
import type { Run } from '../run.ts'
import { beforehand } from './spaces.ts'

/** A namespace is written by its name below /run/netns; that of this process as the process that `ip` reads a number as. */
export const throughIproute2 =
  (names: Names, run: Run) =>
  async (request: Request): Promise<Either<KernelError, Complaint | null>> => {
    const { ns, ask } = request
    const early = ask.on === 'netns' ? beforehand(ask, names(ns)) : E.right(null)
    if (E.isLeft(early)) return E.left(portError('namespaces', early.left))
    if (early.right !== null) return early
    const command = commandOf(request, (one) => names(one) ?? String(process.pid))
    const ran = await run(command.ns === null ? null : names(command.ns), command.tool, command.words)
    if (E.isLeft(ran)) return ran
    const { status, stderr } = ran.right
    return E.right(status === 0 ? null : complaintAbout(ask, stderr))
  }
