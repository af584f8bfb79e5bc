// What 802.1Q devices and ipvlans do with frames. From what the kernel's sources say (net/8021q, drivers/net/ipvlan): this machine's
// kernel is built without, so these facts were not measured here.

import { describe, expect, test } from 'vitest'
import type { IpvlanFlag, IpvlanMode } from '../../../../src/kernel/rtnl/kind.ts'
import type { Arp } from '../../../../src/kernel-sim/wire/arp.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { type Ip4, ip } from '../../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../../src/net/mac.ts'
import { ifName, ns } from '../../../../src/net/name.ts'
import {
  ALL,
  countsOf,
  device,
  dropsOf,
  filtered,
  labOf,
  link,
  mac,
  netns,
  raw,
  send,
  set,
  tag,
  veth,
  worldOf,
} from './lab.ts'

type Asked = Parameters<typeof worldOf>[0]

describe('an 802.1Q device', () => {
  /** v10 on u in a, and on it v20, of 802.1Q both; u in b is the other end. */
  const world = worldOf([
    ...netns('a'),
    ...netns('b'),
    ...veth('a', 'u', '00:00:0a', 'b', 'u', '00:00:0b'),
    link('a', 'v10', { kind: 'vlan', id: 10 }, { dev: ifName('u') }),
    link('a', 'v20', { kind: 'vlan', id: 20 }, { dev: ifName('v10') }),
  ])
  const [A, B] = ['00:00:0a', '00:00:0b']

  test('puts its tag on what it sends, and takes it off what it receives', () => {
    const lab = labOf(world)
    expect(send(lab, 'a v10', raw(A, B))).toEqual(['a u >', 'a v10 >', 'b u <'])
    expect(lab.steps.find(({ event, dev }) => event.tag === 'received' && dev === 'u')?.frame?.tags).toEqual([tag(10)])
    expect(send(lab, 'b u', raw(B, A, [tag(10)]))).toEqual(['a u <', 'a v10 <', 'b u >'])
    expect(countsOf(lab, 'a v10')).toMatchObject({ txPackets: 1, txBytes: 64, rxPackets: 1, rxBytes: 50 })
    expect(countsOf(lab, 'a u')).toMatchObject({ txBytes: 64, rxBytes: 64 })
  })

  test('stands on another', () => {
    const lab = labOf(world)
    expect(send(lab, 'a v20', raw(A, B))).toEqual(['a u >', 'a v10 >', 'a v20 >', 'b u <'])
    expect(lab.steps.find(({ event, dev }) => event.tag === 'received' && dev === 'u')?.frame?.tags).toEqual([
      tag(10),
      tag(20),
    ])
    expect(send(lab, 'b u', raw(B, A, [tag(10), tag(20)]))).toContain('a v20 <')
  })

  test('has what is of its VLAN and protocol only; a tag of VLAN 0 before it says nothing', () => {
    const lab = labOf(world)
    expect(send(lab, 'b u', raw(B, A, [tag(11)]))).toEqual(['a u <', 'b u >'])
    expect(dropsOf(lab)).toEqual(['u vlan-not-member'])
    expect(send(lab, 'b u', raw(B, A, [tag(10, '802.1ad')]))).toEqual(['a u <', 'b u >'])
    expect(send(lab, 'b u', raw(B, A, [tag(0), tag(10)]))).toContain('a v10 <')
  })

  test('is not looked past by a bridge that the device below is a port of', () => {
    const lab = labOf(worldOf([link('a', 'br0', { kind: 'bridge' }), set('a', 'u', { master: ifName('br0') })], world))
    expect(send(lab, 'b u', raw(B, ALL, [tag(10)]))).toEqual(['a u <', 'a v10 <', 'b u >'])
    expect(send(lab, 'b u', raw(B, ALL, [tag(11)]))).toEqual(['a br0 <', 'a u <', 'b u >'])
  })

  test('on one whose other end takes no more is lost there too', () => {
    const lab = labOf(worldOf([set('b', 'u', { mtu: 1000 })], world))
    send(lab, 'a v10', raw(A, B, [], 1005))
    expect(countsOf(lab, 'a v10')).toEqual({ txDropped: 1 })
    expect(countsOf(lab, 'b u')).toEqual({ rxDropped: 1 })
  })
})

test('devices on devices send by way of each other ten deep and no deeper', () => {
  const names = Array.from({ length: 12 }, (_, n) => `v${n}`)
  const made = labOf(
    worldOf([
      ...netns('a'),
      ...netns('b'),
      ...veth('a', 'u', '00:00:0a', 'b', 'u', '00:00:0b'),
      ...names.map((name, n) =>
        link('a', name, { kind: 'vlan', id: n + 1 }, { dev: ifName(n === 0 ? 'u' : `v${n - 1}`) }),
      ),
    ]),
  )
  expect(send(made, 'a v7', raw('00:00:0a', ALL))).toContain('b u <')
  expect(send(made, 'a v8', raw('00:00:0a', ALL))).not.toContain('b u <')
  expect(dropsOf(made)).toEqual(['u nested-too-deep'])
})

describe('ipvlans', () => {
  const address = (space: string, dev: string, text: string): Asked[number] => [
    space,
    { on: 'address', do: 'add', dev: ifName(dev), cidr: { ip: ip(text), bits: 24 } },
  ]
  const lab = (mode: IpvlanMode, flag: IpvlanFlag = 'bridge') => {
    const world = worldOf([
      ...netns('a'),
      ...netns('b'),
      ...veth('a', 'u', LOW, 'b', 'u', OUT),
      address('a', 'u', '10.0.0.254'),
      address('b', 'u', '10.0.0.253'),
      ...[1, 2].flatMap((n) => [
        ...netns(`i${n}`),
        link('a', `i${n}`, { kind: 'ipvlan', mode, flag }, { dev: ifName('u'), to: ns(`i${n}`), up: false }),
        set(`i${n}`, `i${n}`, { up: true }),
        address(`i${n}`, `i${n}`, `10.0.0.${n}`),
      ]),
    ])
    return labOf(mode === 'l3s' ? filtered(world, 'a') : world)
  }
  const [OUT, LOW] = ['00:00:0b', '00:00:0a']
  const body = { proto: 'raw', protocol: 253, bytes: new Uint8Array(30) } as const
  const packet = (src: string, dst: string, from: string, to = from) =>
    frame(mac(from), mac(to), packet4(ip(src) as Ip4, ip(dst) as Ip4, body))
  const arp = (op: Arp['op'], sender: string, target: string, from: string, to: typeof ALL) => {
    const asked: Arp = {
      tag: 'arp',
      op,
      senderMac: mac(from),
      sender: ip(sender) as Ip4,
      targetMac: ZERO_MAC,
      target: ip(target) as Ip4,
    }
    return frame(mac(from), to, asked)
  }

  test('of mode l2 have what is for their addresses', () => {
    const made = lab('l2')
    expect(send(made, 'b u', packet('10.0.0.253', '10.0.0.2', OUT, LOW))).toEqual(['a u <', 'b u >', 'i2 i2 <'])
    expect(made.received).toEqual([`i2 i2 ${mac(OUT).toString(16)}`])
    expect(send(made, 'b u', packet('10.0.0.253', '10.0.0.254', OUT, LOW))).toEqual(['a u <', 'b u >'])
    expect(send(made, 'b u', arp('reply', '10.0.0.253', '10.0.0.1', OUT, mac(LOW)))).toContain('i1 i1 <')
    expect(countsOf(made, 'i2 i2')).toEqual({ rxPackets: 1, rxBytes: 64 })
  })

  test('of mode l2 reach each other at once, and the device below by its own receiving', () => {
    const made = lab('l2')
    expect(send(made, 'i1 i1', packet('10.0.0.1', '10.0.0.2', LOW))).toEqual(['i1 i1 >', 'i2 i2 <'])
    expect(send(made, 'i1 i1', packet('10.0.0.1', '10.0.0.254', LOW))).toEqual(['a u <', 'i1 i1 >'])
    expect(made.received).toEqual([`a u ${mac(LOW).toString(16)}`])
  })

  test('of mode l2 hear broadcasts of each other and from outside', () => {
    const made = lab('l2')
    expect(send(made, 'i1 i1', arp('request', '10.0.0.1', '10.0.0.2', LOW, ALL))).toEqual([
      'a u >',
      'b u <',
      'i1 i1 >',
      'i2 i2 <',
    ])
    expect(send(made, 'b u', arp('request', '10.0.0.253', '10.0.0.2', OUT, ALL))).toEqual([
      'a u <',
      'b u >',
      'i1 i1 <',
      'i2 i2 <',
    ])
  })

  test('that are private do not reach each other; those of vepa by the outside', () => {
    const apart = lab('l2', 'private')
    expect(send(apart, 'i1 i1', packet('10.0.0.1', '10.0.0.2', LOW))).toEqual(['i1 i1 >'])
    expect(countsOf(apart, 'i1 i1')).toEqual({ txDropped: 1 })
    expect(send(lab('l2', 'vepa'), 'i1 i1', packet('10.0.0.1', '10.0.0.2', LOW))).toEqual(['a u >', 'b u <', 'i1 i1 >'])
  })

  test('of mode l3 have what they send routed by the stack below, and no broadcasts', () => {
    const made = lab('l3')
    expect(send(made, 'i1 i1', packet('10.0.0.1', '10.0.0.2', LOW, LOW))).toEqual(['i1 i1 >', 'i2 i2 <'])
    send(made, 'i1 i1', packet('10.0.0.1', '10.0.0.253', LOW, LOW))
    expect(made.packets).toMatchObject([{ src: ip('10.0.0.1'), dst: ip('10.0.0.253') }])
    send(made, 'i1 i1', arp('request', '10.0.0.1', '10.0.0.2', LOW, ALL))
    expect(send(made, 'b u', arp('request', '10.0.0.253', '10.0.0.99', OUT, ALL))).toEqual(['a u <', 'b u >'])
  })

  test('of mode l3s have what the stack below has let in', () => {
    const made = lab('l3s')
    send(made, 'b u', packet('10.0.0.253', '10.0.0.2', OUT, LOW))
    expect(made.hooks).toEqual(['netdev ingress u -', 'prerouting', 'input'])
    expect(made.received).toEqual(['i2 i2 10.0.0.253'])
    expect(device(made, 'i2 i2').tally.rxPackets).toBe(1)
  })
})
