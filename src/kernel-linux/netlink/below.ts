// The devices that links are to be made on, where they are in another namespace: a macvlan in a sandbox is on a device of the host. The
// kernel is told such a device by the number (IFLA_LINK_NETNSID) of its namespace, which is given one if it has none.
// Source: net/core/rtnetlink.c (rtnl_newlink), net/core/net_namespace.c.

import { isStacked, type Place } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { Ns } from '../../net/name.ts'
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

const indexesOf =
  (places: ReadonlyArray<Place>) =>
  async (socket: Socket): Result<ReadonlyArray<number | null>> => {
    const asked = places.map(({ name }) => getLink({ name }))
    const replies = await askAll(socket, asked, decodeLink)()
    return E.isLeft(replies) ? replies : E.right(replies.right.map(({ value }) => value?.index ?? null))
  }

const keyOf = ({ ns, name }: Place): string => `${ns} ${name}`

/** For a socket in `ns`: what these operations are to make links on. */
export const findBelow = async (
  socket: Socket,
  ns: Ns,
  ops: ReadonlyArray<KernelOp>,
  elsewhere: Elsewhere,
): Result<Context['belowOf']> => {
  const byNs = new Map<Ns, Place[]>()
  for (const { verb, object } of ops) {
    if (verb !== 'create' || object.kind !== 'link' || !isStacked(object.spec)) continue
    const { below } = object.spec
    byNs.set(below.ns, [...(byNs.get(below.ns) ?? []), below])
  }
  const found = new Map<string, Below>()
  const missing = new Set<Ns>()
  for (const [there, places] of byNs) {
    const nsid = there === ns ? E.right(null) : await numberOf(socket, elsewhere, there)
    if (E.isLeft(nsid)) return nsid
    if (there !== ns && nsid.right === null) {
      missing.add(there)
      continue
    }
    const indexes = await (there === ns ? indexesOf(places)(socket) : elsewhere.inside(there, indexesOf(places)))
    if (E.isLeft(indexes)) return indexes
    places.forEach((place, i) => {
      const index = indexes.right[i] ?? null
      if (index !== null) found.set(keyOf(place), { index, nsid: nsid.right })
    })
  }
  return E.right((place) => {
    const below = found.get(keyOf(place))
    if (below !== undefined) return E.right(below)
    return E.left(missing.has(place.ns) ? noNamespace(place.ns) : noDevice(place.name))
  })
}
