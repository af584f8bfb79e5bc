// What must be so when everything was healed and has settled: models are sound, say the same of what is shared, and what the store says; claims
// are those of the records; kernels hold what is wanted; what clients saw is linearizable. Each finding is a sentence.

import { CLAIM, claimsOfEndpoint, claimsOfNetwork, localPrefix, presenceKey, readKey } from '../cluster/layout.ts'
import { DRIVERS } from '../drivers/registry.ts'
import { check } from '../history/check.ts'
import { explainHistory, type History, operationsOf } from '../history/event.ts'
import { explain } from '../history/explain.ts'
import { showExplanation } from '../history/show.ts'
import { CLUSTER, type ClusterIn, type ClusterOut } from '../history/specs/cluster.ts'
import { diff } from '../kernel/diff.ts'
import { commandsOf } from '../kernel/print.ts'
import { encode, loadModel } from '../model/codec.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Endpoint, HostId, Model, Network } from '../model/types.ts'
import { showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { entriesOf, getIn, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
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

/** All that a model says, line by line. */
const linesOf = (model: Model): ReadonlySet<string> =>
  new Set([
    ...valuesOf(model.networks).map((network) => `network ${textOf(network)}`),
    ...valuesOf(model.sandboxes).map((sandbox) => `sandbox ${textOf(sandbox)}`),
    ...valuesOf(model.endpoints).map(
      (endpoint) =>
        `endpoint on ${getIn(model.cluster.elsewhere, endpoint.id) ?? model.cluster.host} ${textOf(endpoint)}`,
    ),
  ])

const missing = (these: ReadonlySet<string>, those: ReadonlySet<string>): ReadonlyArray<string> =>
  [...these].filter((line) => !those.has(line))

/** What the store holds for a host, as its model. */
const storedModel = (entries: ReadonlyArray<Entry>, host: HostId): Either<string, Model> => {
  const local = localPrefix(host)
  const its = entries.flatMap(({ key, value }) => {
    if (key.startsWith(local)) return [{ key: key.slice(local.length), value }]
    const about = readKey(key)
    if (about?.of === 'network') return [{ key: `network/${about.id}`, value }]
    return about?.of === 'endpoint' ? [{ key: `peer/${about.id}`, value }] : []
  })
  return loadModel(freshModel(host), its, DRIVERS)
}

const ofHost = (entries: ReadonlyArray<Entry>, host: Host): Findings => {
  const running = host.running()
  if (running === null) return [`host ${host.id} does not run`]
  const { engine } = running
  const stored = storedModel(entries, host.id)
  if (E.isLeft(stored)) return [`host ${host.id}: ${stored.left}`]
  const [believed, kept] = [linesOf(engine.model()), linesOf(stored.right)]
  const leaked = diff(host.machine.state(), engine.wanted())
  return [
    ...violations(engine.model()).map((each) => `host ${host.id}: ${each}`),
    ...missing(believed, kept).map((each) => `host ${host.id} believes what the store does not hold: ${each}`),
    ...missing(kept, believed).map((each) => `host ${host.id} does not know what the store holds: ${each}`),
    ...leaked.map((op) => {
      const commands = commandsOf(op, (ns) => ns).map(({ tool, text }) => `${tool} ${text}`)
      return `the kernel of host ${host.id} is not as its engine wants it: ${commands.join('; ')}`
    }),
    ...(entries.some(({ key }) => key === presenceKey(host.id)) ? [] : [`host ${host.id} runs and is not present`]),
  ]
}

/** Names, addresses and subnets in the store, and what holds them. */
const ofClaims = (entries: ReadonlyArray<Entry>, model: Model): Findings => {
  const held = new Set(entries.map(({ key }) => key).filter((key) => key.startsWith(CLAIM)))
  const due = [
    ...valuesOf(model.networks)
      .filter(({ scope }) => scope === 'global')
      .flatMap(claimsOfNetwork),
    ...valuesOf(model.endpoints)
      .filter(({ network }) => getIn(model.networks, network)?.scope === 'global')
      .flatMap(claimsOfEndpoint),
  ]
  const used = entries.flatMap(({ key }) => {
    const about = readKey(key)
    return about?.of === 'use' && getIn(model.networks, about.id) === undefined ? [about.id] : []
  })
  return [
    ...due.filter((claim, i) => due.indexOf(claim) !== i).map((claim) => `two have ${claim}`),
    ...missing(new Set(due), held).map((claim) => `${claim} is had and not claimed`),
    ...missing(held, new Set(due)).map((claim) => `${claim} is claimed and nobody's`),
    ...used.map((id) => `network ${id} is gone and was not forgotten`),
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

/** All that is there, as somebody who reads the store sees it. */
export const lookAt = (entries: ReadonlyArray<Entry>, hosts: ReadonlyArray<Host>): ClusterOut => {
  const networks = new Map<string, ReturnType<typeof seenNetwork>>()
  const endpoints = new Map<string, ReturnType<typeof seenEndpoint>>()
  for (const { id: host } of hosts) {
    const stored = storedModel(entries, host)
    if (E.isLeft(stored)) continue
    for (const [id, network] of entriesOf(stored.right.networks)) {
      const seen = seenNetwork(network)
      networks.set(id, network.scope === 'global' ? seen : { ...seen, name: `${host}:${seen.name}`, subnet: '' })
    }
    for (const [id, endpoint] of entriesOf(stored.right.endpoints))
      if (getIn(stored.right.cluster.elsewhere, id) === undefined) endpoints.set(id, seenEndpoint(endpoint, host))
  }
  return { is: 'seen', networks: [...networks.values()], endpoints: [...endpoints.values()] }
}

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

export const ofCluster = (entries: ReadonlyArray<Entry>, hosts: ReadonlyArray<Host>): Findings => {
  const [first] = hosts
  const stored = first === undefined ? null : storedModel(entries, first.id)
  return [
    ...hosts.flatMap((host) => ofHost(entries, host)),
    ...(stored === null || E.isLeft(stored) ? [] : ofClaims(entries, stored.right)),
  ]
}
