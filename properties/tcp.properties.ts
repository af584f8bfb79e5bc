// TCP over a cable that loses frames, repeats them, and lets them overtake each other: all bytes come, in their order, there and back.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Quality } from '../src/kernel/quality.ts'
import { receive } from '../src/kernel-sim/datapath/device.ts'
import { run } from '../src/kernel-sim/datapath/loop.ts'
import { type Plane, type Space, spaceOf } from '../src/kernel-sim/datapath/plane.ts'
import { DEFAULTS, type Stretch, type TcpSocket } from '../src/kernel-sim/datapath/socket/entry.ts'
import { connectTcp, listenTcp, readTcp, writeTcp } from '../src/kernel-sim/datapath/socket/tcp.ts'
import { inFlight } from '../src/kernel-sim/datapath/socket/tcp-loss.ts'
import { ahead, sentOf } from '../src/kernel-sim/datapath/socket/tcp-send.ts'
import { PARTS } from '../src/kernel-sim/datapath/wired.ts'
import { onFabric } from '../src/kernel-sim/fabric/fabric.ts'
import { ip } from '../src/net/ip.ts'
import { HOST } from '../src/net/name.ts'
import { fabricOf } from '../test/kernel-sim/fabric/lab.ts'
import { runs } from '../test/lib/runs.ts'

const PORT = 7
const LONG_MS = 3_600_000

const hostSpace = (plane: Plane, name: string): Space => {
  const host = plane.hosts.get(name)
  const space = host === undefined ? null : spaceOf(plane, host, HOST)
  if (space === null) throw new Error(name)
  return space
}

const quality: fc.Arbitrary<Quality> = fc.record({
  delayMs: fc.integer({ min: 0, max: 30 }),
  jitterMs: fc.integer({ min: 0, max: 5 }),
  loss: fc.double({ min: 0, max: 0.15, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 0.1, noNaN: true }),
  reorder: fc.double({ min: 0, max: 0.2, noNaN: true }),
  bitsPerMs: fc.constant(null),
})

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31) & 0xff)

const isWithin = ({ from, to }: Stretch, { sndUna, sndNxt }: TcpSocket): boolean =>
  ahead(from, sndUna) > 0 && ahead(to, from) > 0 && ahead(to, sndNxt) <= 0

/** What comes back of so many bytes in an hour; `look` is shown the sender after everything that happens. */
const echoed = (seed: number, of: Quality, to: string, length: number, look: (socket: TcpSocket) => void) =>
  onFabric(PARTS, fabricOf(seed, ['a', 'b'], of), (plane) => {
    const a = hostSpace(plane, 'a')
    const b = hostSpace(plane, 'b')
    const listener = listenTcp(b, { family: null, ip: null, port: PORT, options: DEFAULTS }, { tag: 'echo' })
    const socket = connectTcp(a, { ip: ip(to), port: PORT }, null, DEFAULTS)
    if (typeof listener === 'string' || typeof socket === 'string') throw new Error('both can be had')
    const heard: number[] = []
    let isWritten = false
    run(plane, receive, plane.nowMs + LONG_MS, () => {
      if (!isWritten && socket.state === 'established') {
        isWritten = true
        writeTcp(a, socket, bytesOf(length))
      }
      heard.push(...readTcp(socket))
      look(socket)
      return heard.length >= length || socket.error !== null
    })
    return { heard: Uint8Array.from(heard), error: socket.error }
  }).result

describe('a conversation over a bad cable', () => {
  test.prop(
    [fc.nat(), quality, fc.constantFrom('10.0.0.2', 'fd00::2'), fc.integer({ min: 1, max: 30_000 })],
    runs(0.3),
  )('has all bytes in their order, there and back', (seed, of, to, length) => {
    const { heard, error } = echoed(seed, of, to, length, () => {})
    expect(error).toBeNull()
    expect(heard).toEqual(bytesOf(length))
  })

  test.prop([fc.nat(), quality, fc.integer({ min: 1, max: 30_000 })], runs(0.3))(
    'never counts more on its way than was sent, nor less than nothing, and believes no news of what it has not sent',
    (seed, of, length) => {
      echoed(seed, of, '10.0.0.2', length, (socket) => {
        expect(inFlight(socket)).toBeGreaterThanOrEqual(0)
        expect(inFlight(socket)).toBeLessThanOrEqual(sentOf(socket))
        expect(socket.sacked.filter((each) => !isWithin(each, socket))).toEqual([])
      })
    },
  )
})
