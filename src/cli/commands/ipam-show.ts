// cnm ipam show: the pools that a log of requests leaves in use.

import type { Ipam } from '../../ipam/types.ts'
import { E, type Either, traverse } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { errorCounts, type Replayed, replayLog } from '../ipam/replay.ts'
import { type PoolView, viewNamed, viewsOf } from '../ipam/view.ts'
import { type Problem, problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { legend, poolText } from '../render/pool.ts'
import { type PoolJson, poolJson } from '../render/pool-json.ts'
import { counted, listed } from '../render/table.ts'

/** `file`: `-` is the standard input. `pools`: ids; none of them stands for all. */
export type IpamShowOptions = Readonly<{ file: string; pools: ReadonlyArray<string>; all: boolean; json: boolean }>

/** What --json prints. `errors`: how many answers to the log have each code. */
export type IpamShowReport = Readonly<{
  requests: number
  errors: Readonly<Record<string, number>>
  pools: ReadonlyArray<PoolJson>
}>

const MOST_STRETCHES = 20
const MOST_IDS = 6

const chosen = (ipam: Ipam, ids: ReadonlyArray<string>): Either<Problem, ReadonlyArray<PoolView>> => {
  if (ids.length === 0) return E.right(viewsOf(ipam))
  return traverse([...new Set(ids)], (id) => {
    const view = viewNamed(ipam, id)
    if (view !== null) return E.right(view)
    const known = viewsOf(ipam).flatMap((each) => [each.id, ...each.subPools.map((part) => part.id)])
    const others = known.length === 0 ? 'there are none' : `there are ${listed(known, MOST_IDS)}`
    return problem(EXIT.wrong, `there is no pool ${JSON.stringify(id)} in use; ${others}`)
  })
}

/** The pieces of the result, each some lines. */
function* textPieces(io: Io, views: ReadonlyArray<PoolView>, all: boolean): Generator<string> {
  if (views.length === 0) yield 'no pools are in use'
  for (const view of views) {
    yield* poolText(view, io, all ? Number.POSITIVE_INFINITY : MOST_STRETCHES)
    yield ''
  }
  if (views.length > 0) yield legend(io)
}

function* jsonPieces({ requests, errors }: Replayed, views: ReadonlyArray<PoolView>): Generator<string> {
  yield `{\n  "requests": ${requests},\n  "errors": ${jsonText(Object.fromEntries(errors), '  ')},`
  if (views.length === 0) yield '  "pools": []'
  else {
    yield '  "pools": ['
    for (const [i, view] of views.entries()) yield* poolJson(view, i < views.length - 1)
    yield '  ]'
  }
  yield '}'
}

/** What is written before it is asked whether somebody reads: characters. */
const FULL = 1 << 16

const write = async (io: Io, pieces: Iterable<string>): Promise<void> => {
  let held: string[] = []
  let length = 0
  for (const piece of pieces) {
    held.push(piece)
    length += piece.length
    if (length < FULL) continue
    io.out(held.join('\n'))
    if (!(await io.ready())) return
    held = []
    length = 0
  }
  if (held.length > 0) io.out(held.join('\n'))
}

export const ipamShow = async (
  io: Io,
  { file, pools, all, json }: IpamShowOptions,
): Promise<Either<Problem, number>> => {
  const replayed = await replayLog(file, async () => true)
  if (E.isLeft(replayed)) return replayed
  const { ipam, requests, failed } = replayed.right
  const views = chosen(ipam, pools)
  if (E.isLeft(views)) return views
  await write(io, json ? jsonPieces(replayed.right, views.right) : textPieces(io, views.right, all))
  if (failed > 0)
    io.err(
      `note: ${failed} of ${counted(requests, 'request')} got an error: ${errorCounts(replayed.right)}; "cnm ipam replay --quiet" shows them`,
    )
  return E.right(EXIT.ok)
}
