// cnm ipam replay: what our address managers answer to the requests of a log.

import { poolsOf } from '../../ipam/space.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { answerText } from '../ipam/answer.ts'
import { errorCounts, type Replayed, replayLog } from '../ipam/replay.ts'
import type { Problem } from '../problem.ts'
import { counted } from '../render/table.ts'

/** `file`: `-` is the standard input. */
export type IpamReplayOptions = Readonly<{ file: string; quiet: boolean; summary: boolean }>

const summaryOf = (replayed: Replayed): string => {
  const { ipam, requests, failed } = replayed
  const codes = failed === 0 ? '' : ` (${errorCounts(replayed)})`
  return `${counted(requests, 'request')}, ${counted(failed, 'error')}${codes}; ${counted(poolsOf(ipam).length, 'pool')} in use`
}

export const ipamReplay = async (
  io: Io,
  { file, quiet, summary }: IpamReplayOptions,
): Promise<Either<Problem, number>> => {
  const replayed = await replayLog(file, (heard) => {
    const said = quiet ? heard.filter(({ answer }) => E.isLeft(answer)) : heard
    if (said.length > 0) io.out(said.map((each) => answerText(each, quiet)).join('\n'))
    return io.ready()
  })
  if (E.isLeft(replayed)) return replayed
  if (summary) io.err(summaryOf(replayed.right))
  return E.right(EXIT.ok)
}
