// What a frame costs from a veth over a bridge's port to a known MAC behind another: hops per second, where a hop is a device that
// sends or receives, and a second is one of the processor's. Not a test; `npx esbuild --bundle --platform=node --format=esm <this> | node --input-type=module`.

import { receive, transmit } from '../../../../src/kernel-sim/datapath/device.ts'
import { run } from '../../../../src/kernel-sim/datapath/loop.ts'
import { NO_META } from '../../../../src/kernel-sim/datapath/skb.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { type Ip4, ip } from '../../../../src/net/ip.ts'
import { ifName } from '../../../../src/net/name.ts'
import { device, labOf, link, mac, netns, set, veth, worldOf } from './lab.ts'

const whole = labOf(
  worldOf([
    ...netns('br'),
    link('br', 'br0', { kind: 'bridge' }),
    ...[1, 2, 3].flatMap((n) => [
      ...netns(`h${n}`),
      ...veth('br', `p${n}`, `00:01:0${n}`, `h${n}`, 'e', `00:02:0${n}`),
      set('br', `p${n}`, { master: ifName('br0') }),
    ]),
  ]),
)
const { plane } = whole
plane.watch = null
/** Whoever receives is not what is measured. */
const lab = { ...whole, plane: { ...plane, parts: { ...plane.parts, receiveIp: () => undefined } } }
const HOPS = 4
const [one, two] = [device(lab, 'h1 e'), device(lab, 'h2 e')]
const body = { proto: 'raw', protocol: 253, bytes: new Uint8Array(56) } as const
const packet = packet4(ip('10.0.0.1') as Ip4, ip('10.0.0.2') as Ip4, body)
const [there, back] = [frame(mac('00:02:01'), mac('00:02:02'), packet), frame(mac('00:02:02'), mac('00:02:01'), packet)]

const rounds = (n: number, fresh: boolean) => {
  for (let i = 0; i < n; i++) {
    lab.plane.busy = 0
    lab.received.length = 0
    transmit(one, { frame: fresh ? { ...there } : there, meta: NO_META })
    transmit(two, { frame: fresh ? { ...back } : back, meta: NO_META })
    run(lab.plane, receive, lab.plane.nowMs)
  }
}

for (const fresh of [false, true]) {
  rounds(200_000, fresh)
  const [n, begin] = [500_000, process.cpuUsage()]
  rounds(n, fresh)
  const { user, system } = process.cpuUsage(begin)
  const seconds = (user + system) / 1e6
  const ns = (seconds * 1e9) / (2 * n)
  process.stdout.write(
    `${fresh ? 'a new frame each time' : 'the same frame'}: ${ns.toFixed(0)} ns for a frame, ${Math.round((2 * n * HOPS) / seconds)} hops/s\n`,
  )
}
