// How namespaces, links, ports, addresses and routes are looked at and changed. There are two ways, which differ in their
// speed and in one errno (docs/known-differences.md 2): iproute2, here, and rtnetlink in process (netlink/transport.ts).
// Likewise for the rest: firewall.ts, sysctls.ts.

import type { KernelError } from '../kernel/kernel.ts'
import type { Route } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { IfName, Ns } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { type Refused, runBatch } from './batch.ts'
import { documents } from './decode/json.ts'
import { decodeCondemned, decodeLinks, decodeNames, type RawLink } from './decode/links.ts'
import { decodeNsids } from './decode/nsids.ts'
import { decodeRoutes } from './decode/routes.ts'
import type { Leaving } from './departure.ts'
import { complaintOf, noNamespace } from './errno.ts'
import { type Names, netnsPath } from './names.ts'
import { clearHalfMade, identityOf } from './netlink/netns.ts'
import { type Ran, type Run, unavailable } from './run.ts'
import { type Batch, type Step, stepsOf } from './schedule.ts'

export type Result<A> = Promise<Either<KernelError, A>>

/** `names`: of all devices, by their indexes. */
export type Dump = Readonly<{
  links: ReadonlyArray<RawLink>
  names: ReadonlyMap<number, IfName>
  routes: ReadonlyArray<Route>
}>

/** A list of operations that is about to be carried out: what there is to do, to be scheduled, and how (Right: the refused steps). */
export type Begun = Readonly<{
  steps: ReadonlyArray<Step>
  runBatch: (batch: Batch) => Result<ReadonlyArray<Refused>>
}>

export type Transport = Readonly<{
  /** Null: the namespace is not there (any more). */
  look: (ns: Ns) => Result<Dump | null>
  /** The numbers by which a namespace knows others, with the real names of those; of `others`, where it knows them, at least. */
  nsids: (ns: Ns, others: Iterable<string>) => Result<ReadonlyMap<number, string>>
  /** The ends in the namespaces `staying` whose other ends are in one of `going`; to be asked before those are deleted. */
  leaving: (going: ReadonlyArray<Ns>, staying: ReadonlyArray<Ns>) => Result<ReadonlyArray<Leaving>>
  /** Which of these devices are still there. */
  remaining: (ns: Ns, ends: Leaving['ends']) => Result<ReadonlyArray<IfName>>
  /** Deletes devices, those that are still there. */
  drop: (ns: Ns, names: ReadonlyArray<IfName>) => Result<void>
  begin: (ops: ReadonlyArray<KernelOp>) => Begun
}>

export const failed = (program: string, { stderr }: Ran): Either<KernelError, never> =>
  E.left(unavailable(`${program}: ${complaintOf(stderr).detail}`))

const DUMP = 'address show\nroute show table all\n'
const BATCH = ['-json', '-details', '-batch', '-']

const linksIn = async (run: Run, real: string | null): Result<ReadonlyArray<RawLink>> => {
  const ran = await run(real, 'ip', BATCH, 'address show\n')
  return E.isLeft(ran) ? ran : E.right(decodeLinks(documents(ran.right.stdout)[0]))
}

/** The ends in `ns` whose other ends are in one of the namespaces `gone`. */
const endsIn = async (run: Run, ns: Ns, real: string | null, gone: ReadonlySet<string>): Result<Leaving> => {
  const ran = await run(real, 'ip', BATCH, 'address show\nnetns list-id\n')
  if (E.isLeft(ran)) return ran
  const [json, ids] = documents(ran.right.stdout)
  const names = decodeNsids(ids)
  const ends = decodeLinks(json).flatMap(({ index, name, spec, to }) => {
    const nsid = spec.type === 'veth' && to !== null ? to.nsid : null
    return nsid !== null && gone.has(names.get(nsid) ?? '') ? [[index, name] as const] : []
  })
  return E.right({ ns, ends: new Map(ends) })
}

/** Of several names of a namespace iproute2 tells one: an adopted one may have a name of its owner's, too. */
const calledAs = (others: Iterable<string>, told: ReadonlyMap<number, string>): ReadonlyMap<number, string> => {
  const known = new Set(others)
  if ([...told.values()].every((real) => known.has(real))) return told
  const byIdentity = new Map([...known].map((real) => [identityOf(netnsPath(real)), real]))
  return new Map([...told].map(([nsid, real]) => [nsid, byIdentity.get(identityOf(netnsPath(real))) ?? real]))
}

const clearTheWay = (names: Names, { steps }: Batch): void => {
  for (const { op } of steps)
    if (op.object.kind === 'netns' && op.verb === 'create') clearHalfMade(netnsPath(names(op.object.ns) ?? ''))
}

/** They leave their bridges, so that they can enter them: who seems to be there already stays as it is (netlink/condemned.ts). */
const revive = async (run: Run, real: string | null, devices: ReadonlyArray<IfName>): Result<void> => {
  const script = devices.map((dev) => `link set dev ${dev} nomaster group default\n`).join('')
  const ran = script === '' ? E.right(undefined) : await run(real, 'ip', ['-force', '-batch', '-'], script)
  return E.isLeft(ran) ? ran : E.right(undefined)
}

const entering = ({ tool, steps }: Batch): ReadonlyArray<IfName> =>
  tool !== 'ip'
    ? []
    : steps.flatMap(({ op: { verb, object } }) => (verb === 'create' && object.kind === 'port' ? [object.dev] : []))

export const throughIproute2 = (run: Run, names: Names): Transport => {
  /** As they were seen last. */
  const condemned = new Map<Ns | null, ReadonlySet<IfName>>()
  // ip(8) takes a path where it takes a name; /proc/self would be a namespace that `ip` has already left.
  const nameOf = (ns: Ns): string => names(ns) ?? `/proc/${process.pid}/ns/net`
  const runSteps: Begun['runBatch'] = async (batch) => {
    const real = batch.ns === null ? null : names(batch.ns)
    if (batch.ns === null) clearTheWay(names, batch)
    const seen = condemned.get(batch.ns)
    const revived =
      seen === undefined || seen.size === 0
        ? E.right(undefined)
        : await revive(
            run,
            real,
            entering(batch).filter((dev) => seen.has(dev)),
          )
    return E.isLeft(revived) ? revived : runBatch(run, real, batch)
  }
  return {
    look: async (ns) => {
      const ran = await run(names(ns), 'ip', BATCH, DUMP)
      if (E.isLeft(ran)) return ran
      const { status, stdout, stderr } = ran.right
      if (noNamespace(stderr)) return E.right(null)
      const [links, routes] = documents(stdout)
      if (status !== 0) return failed('ip', ran.right)
      condemned.set(ns, new Set(decodeCondemned(links)))
      return E.right({ links: decodeLinks(links), names: decodeNames(links), routes: decodeRoutes(ns, routes) })
    },
    nsids: async (ns, others) => {
      const ran = await run(names(ns), 'ip', ['-json', 'netns', 'list-id'])
      return E.isLeft(ran) ? ran : E.right(calledAs(others, decodeNsids(documents(ran.right.stdout)[0])))
    },
    leaving: async (going, staying) => {
      const gone = new Set(going.map((ns) => names(ns) ?? ''))
      const found: Leaving[] = []
      for (const ends of await Promise.all(staying.map((ns) => endsIn(run, ns, names(ns), gone)))) {
        if (E.isLeft(ends)) return ends
        if (ends.right.ends.size > 0) found.push(ends.right)
      }
      return E.right(found)
    },
    remaining: async (ns, ends) => {
      const links = await linksIn(run, names(ns))
      return E.isLeft(links)
        ? links
        : E.right(links.right.filter(({ index }) => ends.has(index)).map(({ name }) => name))
    },
    drop: async (ns, devices) => {
      const script = devices.map((name) => `link delete dev ${name}\n`).join('')
      const ran = await run(names(ns), 'ip', ['-force', '-batch', '-'], script)
      return E.isLeft(ran) ? ran : E.right(undefined)
    },
    begin: (ops) => ({ steps: stepsOf(ops, nameOf), runBatch: runSteps }),
  }
}
