// The same script in three places: the real programs, our shell on Linux, our shell on the simulated kernel. Each command ends with the
// same status, says the same of what is wrong, and shows the same, in text and in JSON.

import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Done } from '../../src/shell/done.ts'
import { labOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { comparable } from './alike.ts'
import { linuxRoom, type Room, realRoom, simRoom } from './rooms.ts'
import { TUTORIAL } from './tutorial.ts'

/** Carrier, and what IPv6 makes of it, come when the kernel has the time. */
const PATIENCE_MS = 4000
const PAUSE_MS = 50

const USAGE = /^(Usage|usage)/m
/** What else nft's grammar would have had at that place. */
const EXPECTED = /^(Error: syntax error, unexpected .*?), expecting .*$/m
/** Its words are the program's own; that there are some is not. */
const complaint = ({ stderr }: Done): string => (USAGE.test(stderr) ? 'Usage' : stderr.replace(EXPECTED, '$1'))

const told = (line: string, done: Done): unknown => ({
  line,
  status: done.status,
  stdout: comparable(line, done.stdout, true),
  stderr: complaint(done),
})

const CHANGES = /\b(add|del|delete|set|replace|change|append|flush|a)\b|=|^nft/

needs.kernel('a script of common commands', () => {
  const lab = labOf(ownLab('tutorial'))
  let real: Room
  let linux: Room
  let sim: Room
  beforeAll(async () => {
    real = await realRoom()
    linux = await linuxRoom(lab)
    sim = await simRoom()
  })
  afterAll(async () => {
    await linux?.close()
    await real?.close()
  })

  /** What shows can be asked again, until all agree. */
  const all = async (line: string, rooms: ReadonlyArray<Room>): Promise<ReadonlyArray<unknown>> => {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      const answers: unknown[] = []
      for (const room of rooms) answers.push(told(line, await room.run(line)))
      const agree = answers.every((answer) => isDeepStrictEqual(answer, answers[0]))
      if (agree || CHANGES.test(line) || performance.now() > until) return answers
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  test('is long enough', () => {
    expect(TUTORIAL.filter(([, where]) => where === undefined).length).toBeGreaterThan(50)
  })

  test('ends and shows alike in all three places', { timeout: 240_000 }, async () => {
    const wanted: unknown[] = []
    const there: unknown[] = []
    for (const [line, where] of TUTORIAL) {
      const rooms = where === 'linux' ? [real, linux] : [real, linux, sim]
      const [asReal, ...others] = await all(line, rooms)
      for (const [at, other] of others.entries()) {
        const place = at === 0 ? 'linux' : 'sim'
        wanted.push({ place, told: asReal })
        there.push({ place, told: other })
      }
    }
    expect(there).toEqual(wanted)
  })
})
