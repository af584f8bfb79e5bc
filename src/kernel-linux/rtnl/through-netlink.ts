// One request as the tools carry it out, without the tools: what it mentions is looked up first, as ip(8) does, what they would
// answer by themselves is answered (kernel/rtnl/unasked.ts), and then one message goes. Namespaces, taps and sysctls go in process, too.

import { strerror } from '../../kernel/errno.ts'
import type { KernelError } from '../../kernel/kernel.ts'
import type { Request, SysctlRequest, TapRequest } from '../../kernel/rtnl/request.ts'
import { indexInName, mentioned, unasked } from '../../kernel/rtnl/unasked.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Complaint } from '../errno.ts'
import { type Names, netnsPath } from '../names.ts'
import { decodeLink, getLink } from '../netlink/codec/link.ts'
import { askAll, talk } from '../netlink/conversation.ts'
import { closeNetns } from '../netlink/netns.ts'
import type { Ack } from '../netlink/refusal.ts'
import type { Socket, Turn } from '../netlink/socket.ts'
import { askTap } from '../netlink/tap.ts'
import { portError } from '../place.ts'
import { throughProc } from '../sysctl/in-process.ts'
import { type Conversation, found, inside, type OpenSpace, openByName } from './inside.ts'
import type { Found } from './link-messages.ts'
import { messageOf, type OfRtnetlink } from './messages.ts'
import { inProcess } from './spaces.ts'

export type Refusal = Complaint | null

const indexesOf = async (
  socket: Socket,
  devs: ReadonlyArray<IfName>,
  turn: Turn,
): Conversation<ReadonlyMap<IfName, number>> => {
  if (devs.length === 0) return E.right(new Map())
  const replies = await askAll(
    socket,
    devs.map((name) => getLink({ name })),
    decodeLink,
    turn,
  )()
  if (E.isLeft(replies)) return replies
  const indexes = devs.flatMap((dev, i) => {
    const index = replies.right[i]?.value?.index ?? indexInName(dev)
    return index === null ? [] : [[dev, index] as const]
  })
  return E.right(new Map(indexes))
}

/** Opens namespaces for as long as `f` takes; those that are not there are not in the map. */
const withOpen = async <A>(
  open: OpenSpace,
  spaces: ReadonlyArray<Ns>,
  f: (fds: ReadonlyMap<Ns, number>) => Promise<A>,
): Promise<A> => {
  const fds = new Map<Ns, number>()
  for (const ns of spaces) {
    const fd = open(ns)
    if (E.isRight(fd)) fds.set(ns, fd.right)
  }
  try {
    return await f(fds)
  } finally {
    for (const fd of fds.values()) closeNetns(fd)
  }
}

/** For what was seen to be there. */
const sure =
  <K extends string>(there: ReadonlyMap<K, number>) =>
  (key: K): number => {
    const value = there.get(key)
    if (value === undefined) throw new Error(`${key} was not looked up`)
    return value
  }

/** In the kernel's own words. */
const refusedBy = ({ errno, text }: Ack): Refusal =>
  errno === null ? null : { errno, detail: text ?? strerror[errno] }

/** One request over a socket of the namespace that is asked; `open` finds those that it mentions. */
export const askOver =
  (open: OpenSpace, ask: OfRtnetlink, turn: Turn = 'aside') =>
  async (socket: Socket): Conversation<Refusal> => {
    const { devs, spaces } = mentioned(ask)
    const indexes = await indexesOf(socket, devs, turn)
    if (E.isLeft(indexes)) return indexes
    return withOpen(open, spaces, async (fds) => {
      const early = unasked(ask, { hasDev: (dev) => indexes.right.has(dev), hasNs: (ns) => fds.has(ns) })
      if (early !== null) return E.right(early)
      const there: Found = { indexOf: sure(indexes.right), fdOf: sure(fds) }
      const acks = await talk(socket, [messageOf(ask, there)], turn)()
      if (E.isLeft(acks)) return acks
      const [ack] = acks.right
      return E.right(ack === undefined ? null : refusedBy(ack))
    })
  }

/** `path`: of the namespace's file; null: the namespace this process runs in. */
export const writeSysctl = async (
  path: string | null,
  ns: Ns,
  { name, value }: SysctlRequest,
): Promise<Either<KernelError, Refusal>> => {
  const sysctls = throughProc(() => path)
  if (E.isLeft(sysctls)) return E.left(portError('sysctl', sysctls.left))
  const object = { kind: 'sysctl', ns, name, value, otherwise: value } as const
  const refused = await sysctls.right.run(ns, [{ verb: 'create', object }])
  return E.isLeft(refused) ? refused : E.right(refused.right[0]?.complaint ?? null)
}

/** `path`: of the namespace's file; null: the namespace this process runs in. */
export const tapAt = (path: string | null, ask: TapRequest): Either<KernelError, Refusal> =>
  found<Refusal>(askTap(path, ask), (complaint) => complaint)

export const throughRtnetlink =
  (names: Names) =>
  async ({ ns, ask }: Request): Promise<Either<KernelError, Refusal>> => {
    switch (ask.on) {
      case 'netns':
        return found(inProcess(ask, names(ns)), (complaint) => complaint)
      case 'tap': {
        const real = names(ns)
        return tapAt(real === null ? null : netnsPath(real), ask)
      }
      case 'sysctl': {
        const real = names(ns)
        return writeSysctl(real === null ? null : netnsPath(real), ns, ask)
      }
      default:
        return found<Refusal>(await inside(names, ns, askOver(openByName(names), ask)), (complaint) => complaint)
    }
  }
