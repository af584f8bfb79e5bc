// What the running kernel holds, as our objects. One dump, one `nft` and, if asked, one `sysctl` for each namespace; then
// what links are bound to. What sits on a device that is not reported is not reported either.

import { readdir } from 'node:fs/promises'
import type { Scope } from '../kernel/kernel.ts'
import { kernelMade } from '../kernel/normalise.ts'
import {
  hasOwnMac,
  type KernelObject,
  type Link,
  type LinkSpec,
  type Netns,
  type NftElement,
  type NftTable,
  NOWHERE,
  type Place,
  type Sysctl,
} from '../kernel/object.ts'
import { isOurAlias } from '../kernel/owned.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { type SysctlName, sysctlDevice } from '../kernel/sysctl.ts'
import { ZERO_MAC } from '../net/mac.ts'
import type { Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import { isBound, type RawLink } from './decode/links.ts'
import { depart, type Leaving } from './departure.ts'
import type { Departures } from './departures.ts'
import type { Firewall } from './firewall.ts'
import { type Names, NETNS_DIR, netnsPath } from './names.ts'
import type { Neighbours } from './neighbours.ts'
import { isHalfMade } from './netlink/netns.ts'
import { type Dumps, endKey, nextToAsk, type Places, placesOf } from './places.ts'
import type { Sysctls } from './sysctls.ts'
import type { Dump, Result, Transport } from './transport.ts'

export type Eyes = Readonly<{
  names: Names
  transport: Transport
  firewall: Firewall
  sysctls: Sysctls
  departures: Departures
  neighbours: Neighbours
}>

/** What one namespace holds; what its links are bound to is not known yet. */
type Look = Dump &
  Readonly<{
    ns: Ns
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

const findPlaces = async ({ names, transport }: Eyes, looks: ReadonlyArray<Look>): Result<Places> => {
  const dumps: Dumps = new Map(looks.map((look) => [look.ns, look]))
  const byName = new Map(looks.flatMap(({ ns }) => (names(ns) === null ? [] : [[names(ns) ?? '', ns] as const])))
  const nsids = new Map<Ns, ReadonlyMap<number, Ns>>()
  for (;;) {
    const places = placesOf(dumps, nsids)
    const ns = nextToAsk(dumps, nsids, places)
    if (ns === null) return E.right(places)
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

/** Null: what it is bound to is out of sight. */
const specOf = ({ spec }: RawLink, place: Place | undefined): LinkSpec | null => {
  if (!isBound(spec)) return spec
  if (place === undefined) return null
  return spec.type === 'veth' ? { type: 'veth', peer: place } : { ...spec, below: place }
}

const linkOf = (ns: Ns, raw: RawLink, place: Place | undefined): Link | null => {
  const { name, mac, mtu, up, alias } = raw
  const spec = specOf(raw, place)
  return spec === null ? null : { kind: 'link', ns, name, spec, mac: hasOwnMac(spec) ? mac : ZERO_MAC, mtu, up, alias }
}

const onLink = ({ ns, name: dev, spec }: Link, { port, addresses, mac }: RawLink): ReadonlyArray<KernelObject> => {
  return [
    ...(port === null ? [] : [{ kind: 'port', ns, dev, ...port } as const]),
    ...addresses
      .map((cidr) => ({ kind: 'address', ns, dev, cidr }) as const)
      .filter((address) => !kernelMade(address, mac, spec.type)),
  ]
}

const objectsIn = (look: Look, places: Places): ReadonlyArray<KernelObject> => {
  const { ns } = look
  const objects: KernelObject[] = [{ kind: 'netns', ns, at: null }, ...look.firewall]
  const devices = new Set<string>()
  for (const raw of look.links) {
    const link = linkOf(ns, raw, places.get(endKey(ns, raw.index)))
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
const leavingAmong = async (eyes: Eyes, looks: ReadonlyArray<Look>, places: Places): Result<ReadonlyArray<Leaving>> => {
  const leaving: Leaving[] = []
  for (const { ns, links } of looks) {
    const lonely = links.filter(
      ({ index, spec, to, alias }) =>
        spec.type === 'veth' && to !== null && to.nsid !== null && isOurAlias(alias) && !places.has(endKey(ns, index)),
    )
    if (lonely.length === 0) continue
    const named = await eyes.transport.nsids(ns, await realNames())
    if (E.isLeft(named)) return named
    const ends = lonely.filter(({ to }) => !named.right.has(to?.nsid ?? 0))
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
  const places = await findPlaces(eyes, looks)
  if (E.isLeft(places)) return places
  const leaving = await leavingAmong(eyes, looks, places.right)
  if (E.isLeft(leaving)) return leaving
  const objects = looks.flatMap((one) => objectsIn(one, places.right))
  eyes.neighbours.note(objects)
  return E.right({ state: stateOf([...empty, ...objects]), leaving: leaving.right })
}
