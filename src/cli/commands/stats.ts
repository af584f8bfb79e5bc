// cnm sandbox stats: what passed the interfaces of sandboxes, as the kernel counted it. As in libnetwork only those of its
// endpoints are a sandbox's own, so one that shares the host's namespace is not told of the host's.

import { printable } from '../../compose/error.ts'
import type { Counters, Kernel, KernelError, Traffic } from '../../kernel/kernel.ts'
import { linkKey } from '../../kernel/object.ts'
import { endpointsIn } from '../../model/queries.ts'
import type { Sandbox } from '../../model/types.ts'
import type { IfName } from '../../net/name.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Stored } from '../host/kept.ts'
import { type HostOptions, withKernel } from '../host/open.ts'
import { refused } from '../host/refusal.ts'
import { theSandbox } from '../host/resolve.ts'
import type { Io } from '../io.ts'
import { kernelProblem, type Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { table } from '../render/table.ts'

export type StatsOptions = HostOptions & Readonly<{ format: 'table' | 'json' }>

/** An interface that a sandbox should have, and the network it is on. */
type Interface = Readonly<{ name: IfName; network: string }>
/** A sandbox with its interfaces, best way out first, and those that the machine does not have. */
type Told = Readonly<{
  sandbox: Sandbox
  found: ReadonlyArray<Readonly<{ network: string }> & Counters>
  missing: ReadonlyArray<IfName>
}>

const interfacesOf = ({ core: { model, wanted } }: Stored, { id, ns }: Sandbox): ReadonlyArray<Interface> =>
  endpointsIn(model, id)
    .map(({ endpoint, network }) => ({ name: endpoint.attachment.ifName, network: network.name }))
    .filter(({ name }) => hasIn(wanted.state, linkKey(ns, name)))

const tell = async (kernel: Kernel, stored: Stored, sandbox: Sandbox): Promise<Either<KernelError, Told>> => {
  const interfaces = interfacesOf(stored, sandbox)
  const counted = interfaces.length === 0 ? E.right([]) : await kernel.counters(sandbox.ns)()
  if (E.isLeft(counted)) return counted
  const counters = new Map(counted.right.map((each) => [each.dev, each]))
  return E.right({
    sandbox,
    found: interfaces.flatMap(({ name, network }) => {
      const of = counters.get(name)
      return of === undefined ? [] : [{ network, ...of }]
    }),
    missing: interfaces.flatMap(({ name }) => (counters.has(name) ? [] : [name])),
  })
}

/** What --format json prints. */
const viewOf = ({ sandbox: { id, container, ns }, found }: Told) => ({
  id,
  name: container,
  netns: ns,
  interfaces: found.map(({ dev, network, rx, tx }) => ({ interface: dev, network, rx, tx })),
})

const MEASURES: ReadonlyArray<keyof Traffic> = ['packets', 'bytes', 'errors', 'dropped']
const HEAD = [
  ...['SANDBOX', 'INTERFACE', 'NETWORK'],
  ...['RX', 'TX'].flatMap((way) => MEASURES.map((measure) => `${way} ${measure.toUpperCase()}`)),
]

const rowsOf = ({ sandbox: { container }, found }: Told): ReadonlyArray<ReadonlyArray<string>> =>
  found.length === 0
    ? [HEAD.map((_, column) => (column === 0 ? container : '-'))]
    : found.map(({ dev, network, rx, tx }) => [
        ...[container, dev, network],
        ...[rx, tx].flatMap((traffic) => MEASURES.map((measure) => String(traffic[measure]))),
      ])

const absent = ({ sandbox: { container }, missing }: Told): ReadonlyArray<Problem> =>
  missing.map((name) => {
    const way = '"cnm doctor" shows what else differs'
    return refused('NotFound', `interface "${name}" of sandbox "${container}" is not there; ${way}`)
  })

/** Of the sandboxes that `words` mean, or of all; what cannot be told is complained of, and the rest told. */
export const stats = (io: Io, words: ReadonlyArray<string>, options: StatsOptions): Promise<Either<Problem, number>> =>
  withKernel(options, async (given) => {
    const { kernel, core } = given
    const named = words.map((word) => theSandbox(core.model, word))
    const all = [...valuesOf(core.model.sandboxes)].sort((a, b) => (a.container < b.container ? -1 : 1))
    const meant = words.length === 0 ? all : named.flatMap((each) => (E.isRight(each) ? [each.right] : []))
    const told: Told[] = []
    for (const answer of await Promise.all(meant.map((sandbox) => tell(kernel, given, sandbox)))) {
      if (E.isLeft(answer)) return E.left(kernelProblem(answer.left))
      told.push(answer.right)
    }
    if (options.format === 'json') io.out(jsonText(told.map(viewOf)))
    else {
      const head = HEAD.map((title) => io.paint.dim(title))
      const rows = told.flatMap(rowsOf).map((row) => row.map(printable))
      io.out(table([head, ...rows]).replaceAll(/^ {2}/gm, ''))
    }
    const failed = [...named.flatMap((each) => (E.isLeft(each) ? [each.left] : [])), ...told.flatMap(absent)]
    for (const { lines } of failed) for (const line of lines) io.err(line)
    return E.right(failed[0]?.exit ?? EXIT.ok)
  })
