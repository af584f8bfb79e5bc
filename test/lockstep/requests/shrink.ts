// A program that ends alike with as little as possible: tries and requests are left out, many at once and then one by one, and then
// the optional parts of those that are left. Each step is tried on both kernels.

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import type { Case, Difference, Outcome, Program } from './both.ts'

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

/** Of one sort: the same is said differently of a request, or a try, of the same sort. */
const isAlike = (one: Case, a: Difference, smaller: Case, b: Difference | null): boolean => {
  if (b === null || a.of !== b.of) return false
  switch (a.of) {
    case 'errno':
    case 'stack':
      return one.program[a.at]?.ask.on === smaller.program[b.at]?.ask.on
    case 'rules':
      return one.rules[a.at]?.script === smaller.rules[b.at]?.script
    case 'try':
    case 'learned':
      return one.tries[a.at]?.send === smaller.tries[b.at]?.send
  }
}

export type Found = Case & Readonly<{ difference: Difference }>

/** Without what comes after the difference. */
const cut = ({ program, rules, tries }: Case, { of, at }: Difference): Case => {
  switch (of) {
    case 'errno':
    case 'stack':
      return { program: program.slice(0, at + 1), rules: [], tries: [] }
    case 'rules':
      return { program, rules: rules.slice(0, at + 1), tries: [] }
    case 'try':
    case 'learned':
      return { program, rules, tries: tries.slice(0, at + 1) }
  }
}

const OPTIONS = ['from', 'dev', 'ttl', 'tos', 'size', 'df', 'mark'] as const

/** The same without one of its options. */
const lessOfTry = (attempt: Try): ReadonlyArray<Try> =>
  OPTIONS.filter((option) => option in attempt).map((option) => {
    const { [option]: _, ...rest } = attempt as Extract<Try, { send: 'ping' }>
    // Cast: what is left out was optional.
    return rest as Try
  })

/** `run` tries a program. */
export const shrink = async (found: Found, run: (one: Case) => Promise<Outcome>): Promise<Found> => {
  let best: Found = { ...cut(found, found.difference), difference: found.difference }
  const better = async (one: Case): Promise<boolean> => {
    const { difference } = await run(one)
    if (difference === null || !isAlike(best, best.difference, one, difference)) return false
    best = { ...cut(one, difference), difference }
    return true
  }
  const withProgram = (program: Program): Promise<boolean> => better({ ...best, program })
  const withTries = (tries: Case['tries']): Promise<boolean> => better({ ...best, tries })
  for (let at = best.rules.length - 1; at >= 0; at--) await better({ ...best, rules: best.rules.toSpliced(at, 1) })
  for (let at = best.tries.length - 2; at >= 0; at--) await withTries(best.tries.toSpliced(at, 1))
  for (let count = best.program.length >> 1; count > 0; count >>= 1)
    for (let from = best.program.length - count; from >= 0; from -= count)
      await withProgram(without(best.program, from, count))
  // Once more from the front: what was needed by what has gone since.
  for (let from = 0; from < best.program.length; ) if (!(await withProgram(without(best.program, from, 1)))) from += 1
  for (let at = 0; at < best.program.length; at++)
    await lessen(
      () => best.program[at],
      lessOf,
      (less) => withProgram(best.program.with(at, less)),
    )
  for (let at = 0; at < best.tries.length; at++)
    await lessen(
      () => best.tries[at],
      lessOfTry,
      (less) => withTries(best.tries.with(at, less)),
    )
  return best
}

/** Takes parts of one away as long as that is `better`. */
const lessen = async <A>(
  now: () => A | undefined,
  less: (one: A) => ReadonlyArray<A>,
  better: (one: A) => Promise<boolean>,
): Promise<void> => {
  const tried = new Set<string>()
  for (let one = now(); one !== undefined; one = now()) {
    const next = less(one).find((each) => !tried.has(keyOf(each)))
    if (next === undefined) return
    tried.add(keyOf(next))
    await better(next)
  }
}

const keyOf = (one: unknown): string =>
  JSON.stringify(one, (_, part) => (typeof part === 'bigint' ? part.toString(16) : part))
