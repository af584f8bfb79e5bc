// The devices that links are to be made on, where they are in another namespace: a macvlan in a sandbox is on a device of the host. The
// kernel is told such a device by the number (IFLA_LINK_NETNSID) of its namespace, which is given one if it has none. Before Linux 6.15
// the link is made there first, so whether its name is taken there is looked up, too.
// Source: net/core/rtnetlink.c (rtnl_newlink), net/core/net_namespace.c.

import { isStacked, type Place } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { decodeLink, getLink } from './codec/link.ts'
import { decodeNsid, getNsid, setNsid } from './codec/nsid.ts'
import { ask, askAll, talk } from './conversation.ts'
import type { NetlinkError } from './error.ts'
import { closeNetns } from './netns.ts'
import { type Below, type Context, noDevice, noNamespace } from './ops.ts'
import type { Socket } from './socket.ts'

type Result<A> = Promise<Either<NetlinkError, A>>

/** Ways to other namespaces: a socket there for as long as `f` takes, and an open file, for the caller to close. */
export type Elsewhere = Readonly<{
  inside: <A>(ns: Ns, f: (socket: Socket) => Result<A>) => Result<A>
  open: (ns: Ns) => Either<NetlinkError, number>
}>

/** The number by which a namespace knows another. Null: there is no such namespace. */
const numberOf = async (socket: Socket, { open }: Elsewhere, ns: Ns): Result<number | null> => {
  const fd = open(ns)
  if (E.isLeft(fd)) return E.right(null)
  try {
    // EEXIST: it has one.
    const given = await talk(socket, [setNsid({ fd: fd.right })], 'here')()
    if (E.isLeft(given)) return given
    const told = await ask(socket, getNsid({ fd: fd.right }), decodeNsid, 'here')()
    return E.isLeft(told) ? told : E.right(told.right.nsid ?? null)
  } finally {
    closeNetns(fd.right)
  }
}

/** The numbers of these devices; null where there is none. */
const indexesOf =
  (devices: ReadonlyArray<IfName>) =>
  async (socket: Socket): Result<ReadonlyArray<number | null>> => {
    const asked = devices.map((name) => getLink({ name }))
    const replies = await askAll(socket, asked, decodeLink)()
    return E.isLeft(replies) ? replies : E.right(replies.right.map(({ value }) => value?.index ?? null))
  }

/** Links of these names are to be on these devices. */
type Wish = Readonly<{ below: Place; name: IfName }>
const keyOf = ({ below: { ns, name: dev }, name }: Wish): string => `${ns} ${dev} ${name}`

/** For a socket in `ns`: what these operations are to make links on. */
export const findBelow = async (
  socket: Socket,
  ns: Ns,
  ops: ReadonlyArray<KernelOp>,
  elsewhere: Elsewhere,
): Result<Context['belowOf']> => {
  const byNs = new Map<Ns, Wish[]>()
  for (const { verb, object } of ops) {
    if (verb !== 'create' || object.kind !== 'link' || !isStacked(object.spec)) continue
    const { below } = object.spec
    byNs.set(below.ns, [...(byNs.get(below.ns) ?? []), { below, name: object.name }])
  }
  const found = new Map<string, Below>()
  const missing = new Set<Ns>()
  for (const [there, wishes] of byNs) {
    const nsid = there === ns ? E.right(null) : await numberOf(socket, elsewhere, there)
    if (E.isLeft(nsid)) return nsid
    if (there !== ns && nsid.right === null) {
      missing.add(there)
      continue
    }
    const asked = indexesOf([...wishes.map(({ below }) => below.name), ...wishes.map(({ name }) => name)])
    const indexes = await (there === ns ? asked(socket) : elsewhere.inside(there, asked))
    if (E.isLeft(indexes)) return indexes
    wishes.forEach((wish, i) => {
      const index = indexes.right[i] ?? null
      const namesake = there !== ns && (indexes.right[wishes.length + i] ?? null) !== null
      if (index !== null) found.set(keyOf(wish), { index, nsid: nsid.right, namesake })
    })
  }
  return E.right((below, name) => {
    const device = found.get(keyOf({ below, name }))
    if (device !== undefined) return E.right(device)
    return E.left(missing.has(below.ns) ? noNamespace(below.ns) : noDevice(below.name))
  })
}
