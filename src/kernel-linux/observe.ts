// What the running kernel holds, as our objects. One dump, one `nft` and, if asked, one `sysctl` for each namespace; then
// the pairing of veths. What sits on a device that is not reported is not reported either.

import { readdir } from 'node:fs/promises'
import type { Scope } from '../kernel/kernel.ts'
import { kernelMade } from '../kernel/normalise.ts'
import {
  type KernelObject,
  type Link,
  type Netns,
  type NftElement,
  type NftTable,
  NOWHERE,
  type Route,
  type Sysctl,
} from '../kernel/object.ts'
import { aliasFor } from '../kernel/owned.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { type SysctlName, sysctlDevice } from '../kernel/sysctl.ts'
import type { Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import type { RawLink } from './decode/links.ts'
import { depart, type Leaving } from './departure.ts'
import type { Departures } from './departures.ts'
import type { Firewall } from './firewall.ts'
import { type Names, NETNS_DIR, netnsPath } from './names.ts'
import type { Neighbours } from './neighbours.ts'
import { isHalfMade } from './netlink/netns.ts'
import { type Dumps, type End, endKey, nextToAsk, type Peers, peersOf } from './peers.ts'
import type { Sysctls } from './sysctls.ts'
import type { Result, Transport } from './transport.ts'

export type Eyes = Readonly<{
  names: Names
  transport: Transport
  firewall: Firewall
  sysctls: Sysctls
  departures: Departures
  neighbours: Neighbours
}>

/** What one namespace holds, its veths not yet paired. */
type Look = Readonly<{
  ns: Ns
  links: ReadonlyArray<RawLink>
  routes: ReadonlyArray<Route>
  firewall: ReadonlyArray<NftTable | NftElement>
  sysctls: ReadonlyArray<Sysctl>
}>

/** What is asked about one namespace. */
type Asked = Readonly<{ ns: Ns; sysctls: ReadonlyArray<SysctlName>; firewall: boolean }>

const askedOf = ({ namespaces, firewalls = namespaces, sysctls }: Scope): ReadonlyArray<Asked> => {
  const names = new Map<Ns, Set<SysctlName>>(namespaces.map((ns) => [ns, new Set()]))
  for (const { ns, name } of sysctls) names.get(ns)?.add(name)
  const walled = new Set(firewalls)
  return [...names].map(([ns, asked]) => ({ ns, sysctls: [...asked], firewall: walled.has(ns) }))
}

const lookAt = async (eyes: Eyes, { ns, sysctls: asked, firewall: hasFirewall }: Asked): Result<Look | null> => {
  const [dump, firewall, sysctls] = await Promise.all([
    eyes.transport.look(ns),
    hasFirewall ? eyes.firewall.look(ns) : E.right([]),
    eyes.sysctls.look(ns, asked),
  ])
  if (E.isLeft(dump)) return dump
  if (dump.right === null) return E.right(null)
  if (E.isLeft(firewall)) return firewall
  if (E.isLeft(sysctls)) return sysctls
  return E.right({ ns, ...dump.right, firewall: firewall.right, sysctls: sysctls.right })
}

const pairUp = async ({ names, transport }: Eyes, looks: ReadonlyArray<Look>): Result<Peers> => {
  const dumps: Dumps = new Map(looks.map(({ ns, links }) => [ns, links]))
  const byName = new Map(looks.flatMap(({ ns }) => (names(ns) === null ? [] : [[names(ns) ?? '', ns] as const])))
  const nsids = new Map<Ns, ReadonlyMap<number, Ns>>()
  for (;;) {
    const peers = peersOf(dumps, nsids)
    const ns = nextToAsk(dumps, nsids, peers)
    if (ns === null) return E.right(peers)
    const told = await transport.nsids(ns, byName.keys())
    if (E.isLeft(told)) return told
    const known = new Map<number, Ns>()
    for (const [nsid, real] of told.right) {
      const other = byName.get(real)
      if (other !== undefined) known.set(nsid, other)
    }
    nsids.set(ns, known)
  }
}

const linkOf = (ns: Ns, raw: RawLink, peer: End | undefined): Link | null => {
  const { name, type, mac, mtu, up, alias } = raw
  if (type.type !== 'veth') return { kind: 'link', ns, name, spec: type, mac, mtu, up, alias }
  return peer === undefined ? null : { kind: 'link', ns, name, spec: { type: 'veth', peer }, mac, mtu, up, alias }
}

const onLink = (link: Link, { port, addresses }: RawLink): ReadonlyArray<KernelObject> => {
  const { ns, name: dev, mac } = link
  return [
    ...(port === null ? [] : [{ kind: 'port', ns, dev, ...port } as const]),
    ...addresses
      .map((cidr) => ({ kind: 'address', ns, dev, cidr }) as const)
      .filter((address) => !kernelMade(address, mac)),
  ]
}

const objectsIn = (look: Look, peers: Peers): ReadonlyArray<KernelObject> => {
  const { ns } = look
  const objects: KernelObject[] = [{ kind: 'netns', ns, at: null }, ...look.firewall]
  const devices = new Set<string>()
  for (const raw of look.links) {
    const link = linkOf(ns, raw, peers.get(endKey(ns, raw.index)))
    if (link === null) continue
    devices.add(link.name)
    objects.push(link, ...onLink(link, raw))
  }
  const onDevice = (dev: string | null): boolean => dev === null || devices.has(dev)
  return [
    ...objects,
    ...look.routes.filter((route) => onDevice(route.dev)),
    ...look.sysctls.filter((sysctl) => onDevice(sysctlDevice(sysctl.name))),
  ]
}

/** Our links bear an alias that begins so, be they finished or not. */
const ANY_OF_OURS = aliasFor('')

/** The real names that exist below /run/netns. */
export const realNames = async (): Promise<ReadonlySet<string>> => {
  // No directory: nobody has made a namespace yet.
  const names = await readdir(NETNS_DIR).catch((): string[] => [])
  return new Set(names)
}

/**
 * Ends of ours whose other ends are in namespaces without a name: who deleted those has died, and the kernel is taking them apart.
 * Until it has, their names are taken.
 */
const leavingAmong = async (eyes: Eyes, looks: ReadonlyArray<Look>, peers: Peers): Result<ReadonlyArray<Leaving>> => {
  const leaving: Leaving[] = []
  for (const { ns, links } of looks) {
    const lonely = links.filter(
      ({ index, type, alias }) =>
        type.type === 'veth' &&
        type.peer.nsid !== null &&
        alias?.startsWith(ANY_OF_OURS) &&
        !peers.has(endKey(ns, index)),
    )
    if (lonely.length === 0) continue
    const named = await eyes.transport.nsids(ns, await realNames())
    if (E.isLeft(named)) return named
    const ends = lonely.filter(({ type }) => type.type === 'veth' && !named.right.has(type.peer.nsid ?? 0))
    if (ends.length > 0) leaving.push({ ns, ends: new Map(ends.map(({ index, name }) => [index, name])) })
  }
  return E.right(leaving)
}

type Seen = Readonly<{ state: KernelState; leaving: ReadonlyArray<Leaving> }>

export const observe = async (eyes: Eyes, scope: Scope): Result<KernelState> => {
  const seen = await look(eyes, scope)
  if (E.isLeft(seen)) return seen
  if (seen.right.leaving.length === 0) return E.right(seen.right.state)
  depart(eyes.transport, eyes.departures, seen.right.leaving, 'others')
  const again = await look(eyes, scope)
  return E.isLeft(again) ? again : E.right(again.right.state)
}

const look = async (eyes: Eyes, scope: Scope): Result<Seen> => {
  await eyes.departures.all()
  const existing = await realNames()
  const asked = askedOf(scope).filter(({ ns }) => {
    const real = eyes.names(ns)
    return real === null || existing.has(real)
  })
  const answers = await Promise.all(asked.map((each) => lookAt(eyes, each)))
  const looks: Look[] = []
  const empty: Netns[] = []
  for (const [i, { ns }] of asked.entries()) {
    const answer = answers[i]
    if (answer === undefined) continue
    if (E.isLeft(answer)) return answer
    if (answer.right !== null) looks.push(answer.right)
    else if (isHalfMade(netnsPath(eyes.names(ns) ?? ''))) empty.push({ kind: 'netns', ns, at: NOWHERE })
  }
  const peers = await pairUp(eyes, looks)
  if (E.isLeft(peers)) return peers
  const leaving = await leavingAmong(eyes, looks, peers.right)
  if (E.isLeft(leaving)) return leaving
  const objects = looks.flatMap((one) => objectsIn(one, peers.right))
  eyes.neighbours.note(objects)
  return E.right({ state: stateOf([...empty, ...objects]), leaving: leaving.right })
}
