// Programs that go on until something happens: begun in the background with `&`, or waited for at once. `jobs`, `wait` and `kill` as sh(1)
// has them, by the number of the job.

import type { Context } from '../context.ts'
import { type Done, failed, joined, printed, QUIET } from '../done.ts'
import type { Job } from '../job.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import { INT, numberOf } from '../value.ts'

const NO_JOB = 127

function* finished(number: number, how: 'wait' | 'kill'): Talk<Done | null> {
  return yield* asking((terminal) => terminal.finish(number, how))
}

export function* inBackground({ ns, input, beside }: Context, name: string, words: Words, job: Job): Talk<Done> {
  const started = yield* asking((terminal) => terminal.start(ns, { name, words, input }, job))
  if (typeof started === 'string') return failed(1, started)
  return beside ? QUIET : ((yield* finished(started, 'wait')) ?? QUIET)
}

export function* jobs(): Talk<Done> {
  const all = yield* asking((terminal) => terminal.jobs())
  return printed(all.map(({ number, line }) => `[${number}] ${line} &\n`).join(''))
}

const numberIn = (word: string): number | null => numberOf(word.replace(/^%/, ''), INT)

function* each(name: 'wait' | 'kill', words: Words): Talk<Done> {
  const all: Done[] = []
  for (const word of words) {
    const number = numberIn(word)
    const done = number === null ? null : yield* finished(number, name)
    all.push(done ?? failed(NO_JOB, `${name}: no such job: ${word}`))
  }
  // What was ended is no failure of who ended it.
  return name === 'kill' && all.every(({ status }) => status !== NO_JOB) ? { ...joined(all), status: 0 } : joined(all)
}

/** All of them, where none is named. */
export function* wait(words: Words): Talk<Done> {
  if (words.length > 0) return yield* each('wait', words)
  const all = yield* asking((terminal) => terminal.jobs())
  return {
    ...(yield* each(
      'wait',
      all.map(({ number }) => String(number)),
    )),
    status: 0,
  }
}

export function* kill(words: Words): Talk<Done> {
  const named = words.filter((word) => !/^-(INT|TERM|2|15)$/.test(word))
  return named.length === 0 ? failed(2, 'kill: usage: kill %job ...') : yield* each('kill', named)
}
