// What must be so when everything was healed and has settled: models are sound, say the same of what is shared, and what the store says; claims
// are those of the records; kernels hold what is wanted; what clients saw is linearizable. Each finding is a sentence.

import { CLAIM, claimsOfEndpoint, claimsOfNetwork, localPrefix, presenceKey, readKey } from '../cluster/layout.ts'
import { check } from '../history/check.ts'
import { explainHistory, type History, operationsOf } from '../history/event.ts'
import { explain } from '../history/explain.ts'
import { showExplanation } from '../history/show.ts'
import { CLUSTER, type ClusterIn, type ClusterOut } from '../history/specs/cluster.ts'
import { diff } from '../kernel/diff.ts'
import { commandsOf } from '../kernel/print.ts'
import { decodeStored, encode } from '../model/codec.ts'
import { violations } from '../model/invariants.ts'
import type { Endpoint, HostId, Model, Network, Peer, Sandbox } from '../model/types.ts'
import { showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import { E } from '../prelude.ts'
import type { Entry } from '../store/store.ts'
import type { Host } from './host.ts'

type Findings = ReadonlyArray<string>

/** With the names of all fields in their order. */
const sorted = (part: unknown): unknown => {
  if (Array.isArray(part)) return part.map(sorted)
  if (typeof part !== 'object' || part === null) return part
  return Object.fromEntries(
    Object.entries(part)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  )
}
const texts = new WeakMap<object, string>()
const textOf = (object: object): string => {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = JSON.stringify(sorted(JSON.parse(encode(object))))
  texts.set(object, text)
  return text
}

const networkLine = (network: Network): string => `network ${textOf(network)}`
const sandboxLine = (sandbox: Sandbox): string => `sandbox ${textOf(sandbox)}`
const endpointLine = (endpoint: Endpoint, host: HostId | null): string => `endpoint on ${host} ${textOf(endpoint)}`

/** All that a model says, line by line. */
const linesOf = ({ networks, sandboxes, endpoints, cluster }: Model): ReadonlySet<string> =>
  new Set([
    ...valuesOf(networks).map(networkLine),
    ...valuesOf(sandboxes).map(sandboxLine),
    ...valuesOf(endpoints).map((each) => endpointLine(each, getIn(cluster.elsewhere, each.id) ?? cluster.host)),
  ])

/** Objects of the store: of one host, or of all of them. */
type Objects = Readonly<{ networks: Network[]; endpoints: Peer[]; sandboxes: Sandbox[] }>
const noObjects = (): Objects => ({ networks: [], endpoints: [], sandboxes: [] })

/** What the store holds; `wrong`: what cannot be read, in sentences. */
export type Stored = Readonly<{
  shared: Objects
  local: ReadonlyMap<HostId, Objects>
  keys: ReadonlySet<string>
  wrong: Findings
}>

const placeOf = (key: string, hosts: ReadonlyArray<HostId>): Readonly<{ host: HostId | null; key: string }> | null => {
  const about = readKey(key)
  if (about?.of === 'network') return { host: null, key: `network/${about.id}` }
  if (about?.of === 'endpoint') return { host: null, key: `peer/${about.id}` }
  const host = hosts.find((each) => key.startsWith(localPrefix(each)))
  return host === undefined ? null : { host, key: key.slice(localPrefix(host).length) }
}

export const readStore = (entries: ReadonlyArray<Entry>, hosts: ReadonlyArray<HostId>): Stored => {
  const shared = noObjects()
  const local = new Map(hosts.map((host) => [host, noObjects()]))
  const wrong: string[] = []
  for (const { key, value } of entries) {
    const place = placeOf(key, hosts)
    if (place === null) continue
    const event = decodeStored(place.key, value)
    const objects = place.host === null ? shared : local.get(place.host)
    if (E.isLeft(event)) wrong.push(`the store holds what cannot be read: ${event.left}`)
    if (E.isLeft(event) || event.right === null || objects === undefined) continue
    const { right: is } = event
    if (is.tag === 'NetworkCreated') objects.networks.push(is.network)
    if (is.tag === 'SandboxCreated') objects.sandboxes.push(is.sandbox)
    if (is.tag === 'PeerIs') objects.endpoints.push(is.peer)
    if (is.tag === 'EndpointCreated' && place.host !== null)
      objects.endpoints.push({ host: place.host, endpoint: is.endpoint })
  }
  return { shared, local, keys: new Set(entries.map(({ key }) => key)), wrong }
}

const objectLines = ({ networks, endpoints, sandboxes }: Objects): ReadonlyArray<string> => [
  ...networks.map(networkLine),
  ...sandboxes.map(sandboxLine),
  ...endpoints.map(({ host, endpoint }) => endpointLine(endpoint, host)),
]

const missing = (these: Iterable<string>, ...those: ReadonlyArray<ReadonlySet<string>>): ReadonlyArray<string> =>
  [...these].filter((line) => !those.some((lines) => lines.has(line)))

/** `shared`: the lines of what hosts share. */
const ofHost = (stored: Stored, shared: ReadonlySet<string>, host: Host): Findings => {
  const running = host.running()
  if (running === null) return [`host ${host.id} does not run`]
  const { engine } = running
  const believed = linesOf(engine.model())
  const local = new Set(objectLines(stored.local.get(host.id) ?? noObjects()))
  return [
    ...violations(engine.model()).map((each) => `host ${host.id}: ${each}`),
    ...missing(believed, shared, local).map((each) => `host ${host.id} believes what the store does not hold: ${each}`),
    ...missing([...shared, ...local], believed).map(
      (each) => `host ${host.id} does not know what the store holds: ${each}`,
    ),
    ...diff(host.machine.state(), engine.wanted()).map((op) => {
      const commands = commandsOf(op, (ns) => ns).map(({ tool, text }) => `${tool} ${text}`)
      return `the kernel of host ${host.id} is not as its engine wants it: ${commands.join('; ')}`
    }),
    ...(stored.keys.has(presenceKey(host.id)) ? [] : [`host ${host.id} runs and is not present`]),
  ]
}

/** Names, addresses and subnets in the store, and what holds them. */
const ofClaims = ({ shared: { networks, endpoints }, keys }: Stored): Findings => {
  const held = new Set([...keys].filter((key) => key.startsWith(CLAIM)))
  const due = new Set<string>()
  const twice: string[] = []
  const claims = [
    ...networks.flatMap(claimsOfNetwork),
    ...endpoints.flatMap(({ endpoint }) => claimsOfEndpoint(endpoint)),
  ]
  for (const claim of claims) {
    if (due.has(claim)) twice.push(claim)
    due.add(claim)
  }
  const ids = new Set(networks.map(({ id }) => id))
  const unused = [...keys].flatMap((key) => {
    const about = readKey(key)
    return about?.of === 'use' && !ids.has(about.id) ? [about.id] : []
  })
  return [
    ...twice.map((claim) => `two have ${claim}`),
    ...missing(due, held).map((claim) => `${claim} is had and not claimed`),
    ...missing(held, due).map((claim) => `${claim} is claimed and nobody's`),
    ...unused.map((id) => `network ${id} is gone and was not forgotten`),
  ]
}

const seenNetwork = ({ id, name, pools }: Network) => ({
  id,
  name,
  subnet: pools.map(({ subnet }) => showCidr(subnet)).join(),
})
const seenEndpoint = ({ id, network, name, addresses }: Endpoint, host: string) => ({
  id,
  host,
  network,
  name,
  ips: addresses.map(({ cidr: { ip } }) => showIp(ip)),
})

/** All that is there, as somebody who reads the store sees it. What is a host's own is named so that it is unique. */
export const lookAt = ({ shared, local }: Stored): ClusterOut => ({
  is: 'seen',
  networks: [
    ...shared.networks.map(seenNetwork),
    ...[...local].flatMap(([host, { networks }]) =>
      networks.map((network) => ({ ...seenNetwork(network), name: `${host}:${network.name}`, subnet: '' })),
    ),
  ],
  endpoints: [shared, ...local.values()].flatMap(({ endpoints }) =>
    endpoints.map(({ host, endpoint }) => seenEndpoint(endpoint, host)),
  ),
})

/** `why`: in full; that is dear where much went on at once. */
export type Judgement = Readonly<{ finding: string; why: () => string }>

/** To explain it, each question may take so many steps: more than enough once a plan was shrunk. */
const PATIENCE = { maxSteps: 20_000, reach: 100 }

/** Null: it is linearizable. */
export const ofHistory = (history: History<ClusterIn, ClusterOut>): Judgement | null => {
  const operations = operationsOf(history)
  if (E.isLeft(operations)) {
    const finding = explainHistory(operations.left)
    return { finding, why: () => finding }
  }
  const verdict = check(CLUSTER, operations.right)
  if (verdict.tag === 'linearizable') return null
  const { group } = verdict
  const finding = `${group.name} ${verdict.tag === 'violated' ? 'is not linearizable' : 'was not decided to be linearizable'}`
  const isViolated = verdict.tag === 'violated'
  return { finding, why: () => (isViolated ? showExplanation(CLUSTER, explain(CLUSTER, group, PATIENCE)) : finding) }
}

export const ofCluster = (stored: Stored, hosts: ReadonlyArray<Host>): Findings => {
  const shared = new Set(objectLines(stored.shared))
  return [...stored.wrong, ...ofClaims(stored), ...hosts.flatMap((host) => ofHost(stored, shared, host))]
}
