// A log of IpamDriver requests, asked of our address managers again: one answer for each line that is not blank, and an
// error changes nothing and stops nothing.

import { createReadStream } from 'node:fs'
import { answerDefault } from '../../ipam/default-driver.ts'
import type { IpamError } from '../../ipam/error.ts'
import { answerNull } from '../../ipam/null-driver.ts'
import { type Answered, type IpamRequest, isFields, readRequest } from '../../ipam/protocol.ts'
import { freshIpam } from '../../ipam/space.ts'
import type { Ipam } from '../../ipam/types.ts'
import { E, type Either } from '../../prelude.ts'
import { type Problem, readProblem } from '../problem.ts'
import { CONFIGURE, readSettings, type Settings, showSettings } from './configure.ts'
import { type Line, linesOf } from './lines.ts'

type AskDefault = ReturnType<typeof answerDefault>
/** `begun`: a request was made, so the defaults are settled. */
type State = Readonly<{ ipam: Ipam; exclude: Settings['exclude']; ask: AskDefault; begun: boolean }>

/** The response as the protocol has it, or why there is none. */
export type Answer = Either<IpamError, Readonly<Record<string, unknown>>>

const invalid = (what: string): Either<IpamError, never> => E.left({ tag: 'InvalidRequest', what })

const FRESH: State = { ipam: freshIpam(), exclude: [], ask: answerDefault([]), begun: false }

const NULL_SPACE = 'null'
const isForNull = (request: IpamRequest): boolean =>
  'PoolID' in request
    ? request.PoolID.startsWith(`${NULL_SPACE}/`)
    : request.Method === 'RequestPool' && request.AddressSpace === NULL_SPACE

type Step = Readonly<{ state: State; answer: Answer }>

const configure = (state: State, json: Readonly<Record<string, unknown>>): Step => {
  if (state.begun) return { state, answer: invalid(`${CONFIGURE} comes before all other requests`) }
  const settings = readSettings(json, { defaults: state.ipam.defaults, exclude: state.exclude })
  if (E.isLeft(settings)) return { state, answer: settings }
  const { defaults, exclude } = settings.right
  return {
    state: { ...state, ipam: freshIpam(defaults), exclude, ask: answerDefault(exclude) },
    answer: E.right(showSettings(settings.right)),
  }
}

const ask = (before: State, request: IpamRequest): Step => {
  const { ipam } = before
  const answered: Either<IpamError, Answered<Ipam>> = isForNull(request)
    ? E.map(({ response }: Answered<null>) => ({ state: ipam, response }))(answerNull(null, request))
    : before.ask(ipam, request)
  const state = { ...before, begun: true }
  return E.isLeft(answered)
    ? { state, answer: answered }
    : { state: { ...state, ipam: answered.right.state }, answer: E.right(answered.right.response) }
}

const parse = (text: string): Either<IpamError, unknown> => {
  try {
    return E.right(JSON.parse(text))
  } catch {
    return invalid('it is not JSON')
  }
}

const step = (state: State, text: string): Step => {
  const json = parse(text)
  if (E.isLeft(json)) return { state, answer: json }
  if (isFields(json.right) && json.right['Method'] === CONFIGURE) return configure(state, json.right)
  const request = readRequest(json.right)
  return E.isLeft(request) ? { state, answer: request } : ask(state, request.right)
}

/** `line`: its number in the log, from 1. */
export type Heard = Readonly<{ line: number; answer: Answer }>
/** `failed`: how many answers are errors, and `errors`: how many have each code. */
export type Replayed = Readonly<{
  ipam: Ipam
  requests: number
  failed: number
  errors: ReadonlyMap<IpamError['tag'], number>
}>

const STDIN = '-'

/**
 * Replays the log in a file, `-` being the standard input. `hear` gets the answers as the log comes in, and says whether
 * to go on.
 */
export const replayLog = async (
  file: string,
  hear: (answers: ReadonlyArray<Heard>) => Promise<boolean>,
): Promise<Either<Problem, Replayed>> => {
  let state = FRESH
  let requests = 0
  const errors = new Map<IpamError['tag'], number>()
  const take = ({ number, text: read }: Line): ReadonlyArray<Heard> => {
    // A byte order mark counts as space.
    const text = E.map((each: string) => each.trim())(read)
    if (E.isRight(text) && text.right === '') return []
    const next: Step = E.isLeft(text) ? { state, answer: invalid(text.left) } : step(state, text.right)
    state = next.state
    requests++
    if (E.isLeft(next.answer)) errors.set(next.answer.left.tag, (errors.get(next.answer.left.tag) ?? 0) + 1)
    return [{ line: number, answer: next.answer }]
  }
  const chunks: AsyncIterable<Buffer> = file === STDIN ? process.stdin : createReadStream(file)
  for await (const lines of linesOf(chunks)) {
    if (E.isLeft(lines)) return E.left(readProblem(file, lines.left))
    if (!(await hear(lines.right.flatMap(take)))) break
  }
  const failed = [...errors.values()].reduce((sum, each) => sum + each, 0)
  return E.right({ ipam: state.ipam, requests, failed, errors })
}

/** `PoolOverlap 2, NoAvailableIPs 1`: the most frequent first. */
export const errorCounts = ({ errors }: Replayed): string =>
  [...errors]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([code, count]) => `${code} ${count}`)
    .join(', ')
