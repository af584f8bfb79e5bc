// How namespaces, links, ports, addresses and routes are looked at and changed. There are two ways, which differ in their
// speed and in one errno (docs/known-differences.md 2): iproute2, here, and rtnetlink in process (netlink/transport.ts).
// Firewall and sysctls go through their tools either way.

import type { KernelError } from '../kernel/kernel.ts'
import type { Route } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { Ns } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { type Refused, runBatch } from './batch.ts'
import { documents } from './decode/json.ts'
import { decodeLinks, type RawLink } from './decode/links.ts'
import { decodeNsids } from './decode/nsids.ts'
import { decodeRoutes } from './decode/routes.ts'
import { complaintOf, noNamespace } from './errno.ts'
import type { Names } from './names.ts'
import { type Ran, type Run, unavailable } from './run.ts'
import { type Batch, type Step, stepsOf } from './schedule.ts'

export type Result<A> = Promise<Either<KernelError, A>>

/** The links of a namespace, and the numbers by which it knows others, with the real names of those. */
export type Ends = Readonly<{ links: ReadonlyArray<RawLink>; names: ReadonlyMap<number, string> }>

export type Dump = Readonly<{ links: ReadonlyArray<RawLink>; routes: ReadonlyArray<Route> }>

export type Transport = Readonly<{
  /** Null: the namespace is not there (any more). */
  look: (ns: Ns) => Result<Dump | null>
  /** The numbers by which a namespace knows others, with the real names of those; of `others`, where it knows them, at least. */
  nsids: (ns: Ns, others: Iterable<string>) => Result<ReadonlyMap<number, string>>
  /** Both at once; as `nsids`. */
  ends: (ns: Ns, others: Iterable<string>) => Result<Ends>
  /** What there is to do, to be scheduled. */
  stepsOf: (ops: ReadonlyArray<KernelOp>) => ReadonlyArray<Step>
  /** Right: the refused steps. */
  runBatch: (batch: Batch) => Result<ReadonlyArray<Refused>>
}>

export const failed = (program: string, { stderr }: Ran): Either<KernelError, never> =>
  E.left(unavailable(`${program}: ${complaintOf(stderr).detail}`))

const DUMP = 'address show\nroute show table all\n'

export const throughIproute2 = (run: Run, names: Names): Transport => ({
  look: async (ns) => {
    const ran = await run(names(ns), 'ip', ['-json', '-details', '-batch', '-'], DUMP)
    if (E.isLeft(ran)) return ran
    const { status, stdout, stderr } = ran.right
    if (noNamespace(stderr)) return E.right(null)
    const [links, routes] = documents(stdout)
    if (status !== 0) return failed('ip', ran.right)
    return E.right({ links: decodeLinks(links), routes: decodeRoutes(ns, routes) })
  },
  nsids: async (ns) => {
    const ran = await run(names(ns), 'ip', ['-json', 'netns', 'list-id'])
    return E.isLeft(ran) ? ran : E.right(decodeNsids(documents(ran.right.stdout)[0]))
  },
  ends: async (ns) => {
    const ran = await run(names(ns), 'ip', ['-json', '-details', '-batch', '-'], 'address show\nnetns list-id\n')
    if (E.isLeft(ran)) return ran
    const [links, ids] = documents(ran.right.stdout)
    return E.right({ links: decodeLinks(links), names: decodeNsids(ids) })
  },
  // ip(8) takes a path where it takes a name; /proc/self would be a namespace that `ip` has already left.
  stepsOf: (ops) => stepsOf(ops, (ns) => names(ns) ?? `/proc/${process.pid}/ns/net`),
  runBatch: (batch) => runBatch(run, batch.ns === null ? null : names(batch.ns), batch),
})
