// What both ways of asking Linux give: an answer to one request. The ways are through-netlink.ts, as the tools would send it, and
// through-tools.ts, by the tools themselves; they witness each other (test/kernel-linux/rtnl).

import type { KernelError } from '../../kernel/kernel.ts'
import type { Request } from '../../kernel/rtnl/request.ts'
import type { Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import type { Names } from '../names.ts'
import type { Run } from '../run.ts'
import { throughRtnetlink } from './through-netlink.ts'
import { throughIproute2 } from './through-tools.ts'

/** Right: null, or the refusal with the words of the kernel or of the tool. Left: the kernel could not be asked. */
export type Answer = Promise<Either<KernelError, Complaint | null>>
export type AskLinux = (request: Request) => Answer

export type Way = 'netlink' | 'iproute2'

/** Carries out one request at a time, in namespaces as `names` calls them. `run` starts the tools, where they are the way. */
export const askLinux = (names: Names, way: Way, run: Run): AskLinux =>
  way === 'netlink' ? throughRtnetlink(names) : throughIproute2(names, run)
