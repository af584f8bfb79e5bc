// What a TCP socket does when nobody answers, in virtual time.

import { expect, test } from 'vitest'
import { receive } from '../../../../src/kernel-sim/datapath/device.ts'
import { run } from '../../../../src/kernel-sim/datapath/loop.ts'
import { spaceOf } from '../../../../src/kernel-sim/datapath/plane.ts'
import { DEFAULTS } from '../../../../src/kernel-sim/datapath/socket/entry.ts'
import { connectTcp } from '../../../../src/kernel-sim/datapath/socket/tcp.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { onWorld } from '../../../../src/kernel-sim/datapath/world.ts'
import { ip } from '../../../../src/net/ip.ts'
import { ns } from '../../../../src/net/name.ts'
import { topology } from '../../topology.ts'
import { worldOf } from '../../world.ts'

test('a SYN is sent again each second four times over, then with twice the patience each time, until ETIMEDOUT', () => {
  const { result, world } = onWorld(PARTS, worldOf(topology), (plane, host) => {
    const space = spaceOf(plane, host, ns('a1'))
    if (space === null) throw new Error('a1 is there')
    const sentMs: number[] = []
    plane.watch = ({ event, payload, atMs }) => {
      if (event.tag === 'sent' && payload.tag === 'ip4' && payload.body.proto === 'tcp') sentMs.push(atMs)
    }
    // A rule of the host drops what goes from one network to another.
    const socket = connectTcp(space, { ip: ip('172.19.0.2'), port: 80 }, null, DEFAULTS)
    if (typeof socket === 'string') throw new Error(socket)
    run(plane, receive, 1_000_000, () => socket.error !== null)
    return { sentMs, error: socket.error, nowMs: plane.nowMs }
  })
  expect(result.sentMs).toEqual([0, 1000, 2000, 3000, 4000, 5000, 7000, 11_000, 19_000, 35_000, 67_000])
  expect(result.error).toBe('ETIMEDOUT')
  expect(result.nowMs).toBe(131_000)
  expect(world.nowMs).toBe(131_000)
})
