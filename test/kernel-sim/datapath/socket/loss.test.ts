// What TCP sends again of what a tunnel has lost, and when: as a capture on Linux 6.18 shows it, but that its clock ticks every 4 ms.

import { expect, test } from 'vitest'
import { runTry } from '../../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { EMPTY_WORLD } from '../../../../src/kernel-sim/state.ts'
import { caseOfFound, type FoundTry } from '../../../lockstep/requests/found-traffic.ts'
import { narrowBridge, narrowTunnel } from '../../../lockstep/requests/found-tunnels.ts'
import { askQuietly } from '../../../lockstep/requests/quiet.ts'

/** The data that `h` sends to `c` by a tunnel over IPv6 with room for 1430 bytes, whose device says 1500: when, from where, how much. */
const sentOf = (found: Omit<FoundTry, 'says' | 'ends'>) => {
  const { program, tries } = caseOfFound(found)
  const [attempt] = tries
  if (attempt === undefined) throw new Error('there is one try')
  const world = program.reduce((now, request) => askQuietly(now, request).world, EMPTY_WORLD)
  const { steps, account } = runTry(PARTS, world, attempt)
  const first = steps[0]?.atMs ?? 0
  let iss: number | null = null
  const sent: string[] = []
  for (const { atMs, ns, event, payload } of steps) {
    if (ns !== 'h' || payload.tag !== 'ip6' || payload.body.proto !== 'tcp') continue
    if (event.tag === 'probed') sent.push('probe')
    if (event.tag !== 'sent') continue
    const { seq, payload: data } = payload.body
    iss ??= seq
    const from = (seq - iss) >>> 0
    if (data.length > 0) sent.push(`${atMs - first} ms: ${from} to ${from + data.length}`)
  }
  return { sent, ending: account.ending }
}

test('what is in front of a segment that has come is lost when it has not come for 2 ms, and is made shorter', () => {
  expect(sentOf(narrowTunnel(1461))).toEqual({
    sent: ['0 ms: 1 to 1429', '0 ms: 1429 to 1462', '2 ms: 1 to 1359', '2 ms: 1359 to 1429'],
    ending: 'answered',
  })
})

test('of segments of which none has come the last one is sent again, by which the others are known to be lost', () => {
  expect(sentOf(narrowTunnel(2856))).toEqual({
    sent: [
      '0 ms: 1 to 1429',
      '0 ms: 1429 to 2857',
      'probe',
      '2 ms: 1429 to 2787',
      '2 ms: 1 to 1359',
      '2 ms: 1359 to 1429',
      '2 ms: 2787 to 2857',
    ],
    ending: 'answered',
  })
})

test('one that was alone waits for the timer, which is too long for a try', () => {
  expect(sentOf(narrowTunnel(1428))).toEqual({ sent: ['0 ms: 1 to 1429'], ending: 'silence' })
})

test('behind a bridge, where those that go as one are lost as one, no segment has come, however short', () => {
  expect(sentOf(narrowBridge(1441))).toEqual({
    sent: [
      '0 ms: 1 to 1429',
      '0 ms: 1429 to 1442',
      'probe',
      '2 ms: 1429 to 1442',
      '2 ms: 1 to 1359',
      '2 ms: 1359 to 1429',
    ],
    ending: 'answered',
  })
})
