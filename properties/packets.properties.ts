// What holds of every probe, however broken the network is: it ends, it says why, and looking closer changes nothing.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Probe } from '../src/kernel/kernel.ts'
import { runProbe } from '../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../src/kernel-sim/datapath/wired.ts'
import { stepText } from '../src/kernel-sim/datapath/words.ts'
import { atRest } from '../src/kernel-sim/elapse.ts'
import { applyAll } from '../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD, type World } from '../src/kernel-sim/state.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { topology } from '../test/kernel-sim/topology.ts'
import { probeOf } from '../test/kernel-sim/world.ts'

/** The topology with some of its operations left out; what depends on them is refused, as Linux would. */
const world: fc.Arbitrary<World> = fc.uniqueArray(fc.nat({ max: topology.length - 1 }), { maxLength: 8 }).map(
  (gone) =>
    applyAll(
      EMPTY_WORLD,
      topology.filter((_, i) => !gone.includes(i)),
    ).world,
)

const PLACES = ['host', 'a1', 'a2', 'b1', 'i1', 'i2', 'out', 'peer', 'far']
const ADDRESSES = [
  ...['172.18.0.1', '172.18.0.2', '172.18.0.3', '172.18.0.99', '172.19.0.2', '172.20.0.1', '172.20.0.2', '203.0.113.1'],
  ...['203.0.113.9', '198.51.100.2', '10.9.9.9', '127.0.0.1', '172.18.255.255', '224.0.0.1', '0.0.0.0'],
  ...[
    'fd00:a::1',
    'fd00:a::2',
    'fd00:a::3',
    'fd00:b::2',
    'fd00:c::3',
    '2001:db8::1',
    '2001:db8:1::2',
    '::1',
    'ff02::1',
  ],
]
const PORTS = [80, 81, 90, 8080, 8081, 8082]

const place = fc.constantFrom(...PLACES)
const probe: fc.Arbitrary<Probe> = fc
  .record({
    from: place,
    proto: fc.constantFrom('icmp', 'tcp', 'udp'),
    to: fc.constantFrom(...ADDRESSES),
    port: fc.constantFrom(...PORTS),
    listener: fc.option(fc.record({ at: place, port: fc.constantFrom(...PORTS) }), { nil: null }),
  })
  .map(({ from, proto, to, port, listener }) =>
    probeOf(from, proto, `${to} ${port}`, listener === null ? '' : `${listener.at}:${listener.port}`),
  )

describe('a probe', () => {
  test.prop([world, fc.array(probe, { minLength: 1, maxLength: 8 })])(
    'ends, and when it dies says where and why',
    (start, probes) => {
      let now = start
      for (const one of probes) {
        const { verdict, world: next } = runProbe(PARTS, now, one)
        if (verdict.tag === 'died') {
          expect(verdict.where).toBeTruthy()
          expect(verdict.why).toBeTruthy()
        }
        now = next
      }
    },
  )

  test.prop([world, probe])('ends the same when nobody watches, and leaves the same world', (start, one) => {
    const watched = runProbe(PARTS, start, one)
    const quiet = runProbe(PARTS, start, one, { trace: false })
    expect(quiet.verdict).toEqual(watched.verdict)
    expect(quiet.world).toEqual(watched.world)
    for (const step of watched.trace) expect(stepText(step)).not.toMatch(/undefined|null|NaN|\[object/)
  })

  test.prop([world, fc.array(probe, { maxLength: 6 }), probe])(
    'ends the same whatever was tried before: what traffic leaves behind is only memory',
    (built, before, one) => {
      // Time passes, too: from where no address is asked about any more, as probes of a kernel begin.
      const start = atRest(PARTS, built)
      const later = before.reduce((now, other) => runProbe(PARTS, now, other).world, start)
      const fresh = runProbe(PARTS, start, one).verdict
      const { tag } = fresh
      expect(runProbe(PARTS, later, one).verdict.tag).toBe(tag)
    },
  )

  test.prop([world, probe])('leaves nothing listening', (start, one) => {
    for (const space of valuesOf(runProbe(PARTS, start, one).world.namespaces))
      expect(space.sockets === null || space.sockets.sockets.root === null).toBe(true)
  })
})
