// A program that ends alike with as little as possible: requests are left out, many at once and then one by one, and then the
// optional parts of those that are left. Each step is tried on both kernels.

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Difference, Outcome, Program } from './both.ts'

type Part = Readonly<Record<string, unknown>>
const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Nothing can be without these; `nodad` is a part of every program. */
const ALWAYS: ReadonlySet<string> = new Set([
  ...['on', 'do', 'ip', 'bits', 'cidr', 'family', 'of', 'id', 'vni', 'value', 'options', 'mode', 'nodad'],
  ...['lookup', 'goto', 'is'],
])

/** Whether a request may be without a part. Without a MAC, Linux would draw one at random. */
const isOptional = (key: string, value: unknown, { on, do: verb }: Part): boolean => {
  if (ALWAYS.has(key)) return false
  if (key === 'dev') return on === undefined || on === 'route' || (on === 'link' && verb === 'add')
  if (key === 'peer') return !isPart(value)
  if (key === 'to') return !isPart(value) || on === 'rule'
  if (key === 'mac') return on === 'neighbour' || (on === 'link' && verb === 'set')
  if (key === 'group') return verb !== 'delete'
  return (key !== 'kind' && key !== 'name') || verb === 'set'
}

/** The same without one of its optional parts, at any depth. */
const smaller = (part: Part): ReadonlyArray<Part> =>
  Object.entries(part).flatMap(([key, value]) => [
    ...(isOptional(key, value, part)
      ? [Object.fromEntries(Object.entries(part).filter(([other]) => other !== key))]
      : []),
    ...(isPart(value) ? smaller(value).map((less) => ({ ...part, [key]: less })) : []),
  ])

const lessOf = ({ ns, ask }: Request): ReadonlyArray<Request> =>
  // Cast: what is left out was optional.
  smaller(ask).map((less) => ({ ns, ask: less as unknown as Request['ask'] }))

const without = (program: Program, from: number, count: number): Program => [
  ...program.slice(0, from),
  ...program.slice(from + count),
]

/** Of one sort: the same is said differently of a request of the same sort. */
const isAlike = (program: Program, a: Difference, smaller: Program, b: Difference | null): boolean =>
  b !== null && a.of === b.of && program[a.at]?.ask.on === smaller[b.at]?.ask.on

export type Found = Readonly<{ program: Program; difference: Difference }>

/** `run` tries a program. */
export const shrink = async (found: Found, run: (program: Program) => Promise<Outcome>): Promise<Found> => {
  const upTo = (program: Program, { at }: Difference): Program => program.slice(0, at + 1)
  let best: Found = { ...found, program: upTo(found.program, found.difference) }
  const better = async (program: Program): Promise<boolean> => {
    const { difference } = await run(program)
    if (difference === null || !isAlike(best.program, best.difference, program, difference)) return false
    best = { program: upTo(program, difference), difference }
    return true
  }
  for (let count = best.program.length >> 1; count > 0; count >>= 1)
    for (let from = best.program.length - count; from >= 0; from -= count)
      await better(without(best.program, from, count))
  // Once more from the front: what was needed by what has gone since.
  for (let from = 0; from < best.program.length; ) if (!(await better(without(best.program, from, 1)))) from += 1
  for (let at = 0; at < best.program.length; at++) {
    let request = best.program[at]
    const tried = new Set<string>()
    while (request !== undefined) {
      const next: Request | undefined = lessOf(request).find((less) => !tried.has(keyOf(less)))
      if (next === undefined) break
      tried.add(keyOf(next))
      if (await better(best.program.with(at, next))) request = best.program[at]
    }
  }
  return best
}

const keyOf = (request: Request): string =>
  JSON.stringify(request, (_, part) => (typeof part === 'bigint' ? part.toString(16) : part))
