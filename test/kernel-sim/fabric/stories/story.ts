// A story: what happens on a random fabric, told to the last byte. The same seed tells the same story, wherever it is told.

import type { Try } from '../../../../src/kernel/traffic.ts'
import { captureAll } from '../../../../src/kernel-sim/datapath/capture.ts'
import { receive } from '../../../../src/kernel-sim/datapath/device.ts'
import { run } from '../../../../src/kernel-sim/datapath/loop.ts'
import { spaceOf } from '../../../../src/kernel-sim/datapath/plane.ts'
import { below, type Random, randomFrom } from '../../../../src/kernel-sim/datapath/random.ts'
import { openUdp } from '../../../../src/kernel-sim/datapath/socket/datagram.ts'
import { DEFAULTS } from '../../../../src/kernel-sim/datapath/socket/entry.ts'
import { listenTcp } from '../../../../src/kernel-sim/datapath/socket/tcp.ts'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import { tryOver } from '../../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { type Fabric, onFabric, partition, withSegment } from '../../../../src/kernel-sim/fabric/fabric.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { encodeFrame } from '../../../../src/kernel-sim/wire/wire.ts'
import { cidr } from '../../../../src/net/cidr.ts'
import { type Ip, ip4, isIp4 } from '../../../../src/net/ip.ts'
import { BROADCAST, mac } from '../../../../src/net/mac.ts'
import { HOST, ifName } from '../../../../src/net/name.ts'
import { port } from '../../../../src/net/port.ts'
import {
  asked,
  ETH0,
  hostName,
  LAN,
  once,
  oneOf,
  type Place,
  type Places,
  randomQuality,
  randomSetting,
} from './build.ts'

/** `trace`: each try, its account and every step, a line each; then what the fabric has come to. `capture`: pcapng of all steps. */
export type Story = Readonly<{ trace: string; capture: Uint8Array; steps: ReadonlyArray<Step> }>

const [SERVED, UNSERVED] = [port(80), port(81)]
const SIZES = [0, 1, 56, 1400, 3000, 9000] as const
const EVENTS = 10

/** Everything that JSON has no form for gets one. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Map || part instanceof Set) return [...part]
    if (part instanceof Uint8Array) return part.join()
    return part
  })

/** Echo servers for UDP and TCP in each place. */
export const served = (fabric: Fabric, places: ReadonlyArray<Place>): Fabric =>
  onFabric(PARTS, fabric, (plane) => {
    for (const { host: name, ns } of places) {
      const host = plane.hosts.get(name)
      const space = host === undefined ? null : spaceOf(plane, host, ns)
      if (space === null) continue
      const binding = { family: null, ip: null, port: SERVED, options: DEFAULTS }
      openUdp(space, binding, { tag: 'echo' })
      listenTcp(space, binding, { tag: 'echo' })
    }
  }).fabric

/** Addresses of the segment that nobody has. */
const [NOBODY, STRANGER] = [ip4(0x0a0000fa), ip4(0x0a000063)]

const randomTry = (random: Random, from: Place, to: Ip): Try => {
  const { ns } = from
  const size = oneOf(random, SIZES)
  const ttl = once(random, 6) ? { ttl: 1 + below(random, 3) } : {}
  const df = once(random, 6) ? { df: true } : {}
  const rest = { ns, to, size, ...ttl, ...df }
  const send = oneOf(random, ['ping', 'udp', 'tcp', 'frame'] as const)
  if (send === 'ping') return { send, ...rest }
  if (send !== 'frame') return { send, ...rest, port: once(random, 4) ? UNSERVED : SERVED, listener: null }
  const body = {
    proto: 'udp',
    sport: 1000,
    dport: SERVED,
    checked: true,
    payload: new Uint8Array(size % 1400),
  } as const
  const packet = packet4(STRANGER, isIp4(to) ? to : NOBODY, body)
  return { send, ns, dev: ETH0, bytes: encodeFrame(frame(mac(0x020000000063), BROADCAST, packet)) }
}

/** Something goes wrong, or right again. What is said of it goes into the trace. */
const fault = (random: Random, fabric: Fabric, places: Places): readonly [Fabric, string] => {
  const { host, ns, ips } = oneOf(random, places)
  const ask = (what: Parameters<typeof asked>[2]['ask']): readonly [Fabric, string] => {
    const { fabric: next, errno } = asked(fabric, host, { ns, ask: what })
    return [next, `${host} ${ns} ${textOf(what)} ${errno}`]
  }
  switch (below(random, 8)) {
    case 0:
      return [partition(fabric, LAN, [[hostName(1)], [hostName(2), hostName(3)]]), 'in parts']
    case 1:
      return [partition(fabric, LAN, null), 'whole']
    case 2: {
      const quality = randomQuality(random)
      return [withSegment(fabric, LAN, quality), textOf(quality)]
    }
    case 3:
      return ask({ on: 'link', do: 'set', dev: ETH0, up: once(random, 2) })
    case 4:
      return ask({ on: 'link', do: 'set', dev: ETH0, mtu: 1280 + below(random, 300) })
    case 5:
      return ask({ on: 'route', do: 'add', to: cidr('10.2.0.0/24'), type: 'unreachable', metric: below(random, 4) })
    case 6:
      return ns === HOST ? ask({ on: 'link', do: 'delete', dev: ifName('v1') }) : ask({ on: 'netns', do: 'delete' })
    default: {
      const waitMs = below(random, 40_000)
      const { fabric: next } = onFabric(PARTS, fabric, (plane) => run(plane, receive, plane.nowMs + waitMs))
      return [next, `${waitMs} ms pass, ${ips.length}`]
    }
  }
}

/** Tells a story. */
export const storyOf = (seed: number): Story => {
  const random = randomFrom(seed)
  const setting = randomSetting(random)
  const { places } = setting
  const targets = places.flatMap(({ ips }) => ips)
  let fabric = served(setting.fabric, places)
  const lines: string[] = [...setting.refusals]
  const seen: Step[] = []
  for (let n = 0; n < EVENTS; n++) {
    if (once(random, 4)) {
      const [next, said] = fault(random, fabric, places)
      fabric = next
      lines.push(said)
      continue
    }
    const from = oneOf(random, places)
    const attempt = randomTry(
      random,
      from,
      once(random, 10) ? NOBODY : (targets[below(random, targets.length)] ?? NOBODY),
    )
    const { fabric: next, result } = onFabric(PARTS, fabric, (plane) => {
      const host = plane.hosts.get(from.host)
      return host === undefined ? null : tryOver(plane, host, attempt)
    })
    fabric = next
    lines.push(textOf(attempt), textOf(result?.account))
    for (const step of result?.steps ?? []) {
      lines.push(textOf(step))
      seen.push(step)
    }
  }
  lines.push(textOf(fabric))
  return { trace: lines.join('\n'), capture: captureAll(seen), steps: seen }
}
