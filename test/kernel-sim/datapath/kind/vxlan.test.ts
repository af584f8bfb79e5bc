// What VXLANs do with frames. Each fact was seen on Linux 6.18 with raw frames.

import { describe, expect, test } from 'vitest'
import type { NewKind } from '../../../../src/kernel/rtnl/kind.ts'
import type { FdbRequest } from '../../../../src/kernel/rtnl/request.ts'
import { agedDevices, closeDevices } from '../../../../src/kernel-sim/datapath/kind/close.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import type { Arp } from '../../../../src/kernel-sim/wire/arp.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { packet6 } from '../../../../src/kernel-sim/wire/ip6.ts'
import { type Ip, type Ip4, type Ip6, ip } from '../../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../../src/net/mac.ts'
import { ifName } from '../../../../src/net/name.ts'
import { getIn } from '../../../../src/net/pmap.ts'
import {
  ALL,
  countsOf,
  dropsOf,
  labOf,
  link,
  linkIn,
  mac,
  netns,
  raw,
  send,
  set,
  spaceIn,
  tag,
  veth,
  worldOf,
} from './lab.ts'

type Asked = Parameters<typeof worldOf>[0]
const vxlan = (space: string, name: string, own: string, options: Omit<Extract<NewKind, { kind: 'vxlan' }>, 'kind'>) =>
  link(space, name, { kind: 'vxlan', port: 4789, ...options }, { mac: mac(own) })
const address = (space: string, text: string, bits: number): Asked[number] => [
  space,
  { on: 'address', do: 'add', dev: ifName('u'), cidr: { ip: ip(text), bits }, nodad: true },
]
const fdb = (space: string, dev: string, at: string, dst: string, more: Partial<FdbRequest> = {}): Asked[number] => [
  space,
  { on: 'fdb', do: 'add', dev: ifName(dev), mac: at === '' ? ZERO_MAC : mac(at), of: 'self', dst: ip(dst), ...more },
]
const underlay: Asked = [
  ...netns('a'),
  ...netns('b'),
  ...veth('a', 'u', '00:00:0a', 'b', 'u', '00:00:0b'),
  address('a', '192.168.0.1', 24),
  address('b', '192.168.0.2', 24),
]
/** vx of network 7 in a, which sends to b what it does not know, and in b, which does not. */
const world = (...more: Asked): World =>
  worldOf([
    ...underlay,
    vxlan('a', 'vx', '00:01:0a', { vni: 7, remote: ip('192.168.0.2'), local: ip('192.168.0.1') }),
    vxlan('b', 'vx', '00:01:0b', { vni: 7, local: ip('192.168.0.2') }),
    ...more,
  ])

const X = '00:05:01'
const Y = '00:05:02'
const there = ['a vx >', 'b vx <']

describe('a VXLAN', () => {
  test('sends what it does not know to its remote, who learns', () => {
    const lab = labOf(world())
    expect(send(lab, 'a vx', raw(X, ALL))).toEqual(there)
    expect(lab.packets[0]).toMatchObject({
      src: ip('192.168.0.1'),
      dst: ip('192.168.0.2'),
      ttl: 64,
      tos: 0,
      df: false,
      body: { dport: 4789, checked: true, payload: { vni: 7 } },
    })
    expect(countsOf(lab, 'a vx')).toEqual({ txPackets: 1, txBytes: 50 })
    expect(countsOf(lab, 'b vx')).toMatchObject({ rxPackets: 1, rxBytes: 50 })
    expect(send(lab, 'b vx', raw(Y, X))).toEqual(['a vx <', 'b vx >'])
  })

  test('without a remote loses what it does not know', () => {
    const lab = labOf(world())
    expect(send(lab, 'b vx', raw(Y, '00:05:09'))).toEqual(['b vx >'])
    expect(countsOf(lab, 'b vx')).toEqual({ txDropped: 1 })
    expect(dropsOf(lab)).toEqual(['vx no-remote'])
  })

  test('takes the source port from what it carries, of those that sockets are given, the same for both ways', () => {
    const lab = labOf(world())
    const udp = (sport: number, dport: number) =>
      ({ proto: 'udp', sport, dport, checked: true, payload: new Uint8Array(4) }) as const
    const [p, q] = [ip('10.0.0.1') as Ip4, ip('10.0.0.2') as Ip4]
    send(lab, 'a vx', frame(mac(X), ALL, packet4(p, q, udp(1000, 53))))
    send(lab, 'a vx', frame(mac(X), ALL, packet4(q, p, udp(53, 1000))))
    send(lab, 'a vx', frame(mac(X), ALL, packet4(p, q, udp(1001, 53))))
    const ports = lab.packets.map(({ body }) => ('sport' in body ? body.sport : 0))
    expect(ports[0]).toBe(ports[1])
    expect(ports[0]).not.toBe(ports[2])
    for (const one of ports) expect(one >= 32768 && one < 60999).toBe(true)
  })

  test('counts no tag of what it sends, and every tag of what it receives', () => {
    const lab = labOf(world())
    send(lab, 'a vx', raw(X, Y, [tag(5)]))
    expect(countsOf(lab, 'a vx')).toMatchObject({ txBytes: 50 })
    expect(countsOf(lab, 'b vx')).toMatchObject({ rxBytes: 54 })
  })

  test('does not take what has its own MAC, nor who was put in elsewhere', () => {
    const lab = labOf(world(fdb('b', 'vx', '00:05:33', '192.168.0.9', { vni: 9, port: 5555 })))
    expect(send(lab, 'a vx', raw('00:01:0b', Y))).toEqual(['a vx >'])
    expect(dropsOf(lab)).toEqual(['u own-mac'])
    expect(send(lab, 'a vx', raw('00:05:33', Y))).toEqual(['a vx >'])
    expect(dropsOf(lab)).toEqual(['u learned-elsewhere'])
  })

  test('that does not learn, learns nothing', () => {
    const lab = labOf(
      worldOf([
        ...underlay,
        vxlan('a', 'vx', '00:01:0a', { vni: 7, remote: ip('192.168.0.2') }),
        vxlan('b', 'vx', '00:01:0b', { vni: 7, learning: false }),
      ]),
    )
    expect(send(lab, 'a vx', raw(X, ALL))).toEqual(there)
    expect(send(lab, 'b vx', raw(Y, X))).toEqual(['b vx >'])
  })

  test('sends to all its remotes, the first last', () => {
    const lab = labOf(
      world(fdb('a', 'vx', '', '192.168.0.1', { do: 'append', vni: 8 }), vxlan('a', 'vy', '00:02:0a', { vni: 8 })),
    )
    expect(send(lab, 'a vx', raw(X, '00:06:01'))).toEqual(['a vx >', 'a vy <', 'b vx <'])
    expect(lab.steps.filter(({ event }) => event.tag === 'received').map(({ dev }) => dev)).toEqual(['vy', 'vx'])
  })

  test('gives a frame for this very host to its device of that network, unpacked, which learns a loopback address', () => {
    const before = world(
      vxlan('a', 'vy', '00:02:0a', { vni: 8 }),
      fdb('a', 'vx', '00:05:45', '192.168.0.1', { vni: 8 }),
    )
    const lab = labOf(before)
    expect(send(lab, 'a vx', raw(X, '00:05:45'))).toEqual(['a vx >', 'a vy <'])
    expect(lab.packets).toEqual([])
    expect(countsOf(lab, 'a vx')).toEqual({ txPackets: 1, txBytes: 64 })
    expect(countsOf(lab, 'a vy')).toMatchObject({ rxPackets: 1, rxBytes: 64 })
    const space = spaceIn(lab, 'a')
    const vy = getIn(closeDevices(space, space.entry).links, 'vy')
    expect(vy && getIn(vy.remotes, String(mac(X)))?.remotes).toMatchObject([{ ip: ip('127.0.0.1'), vni: 8 }])
  })

  test('has no way to a remote without a route', () => {
    const lab = labOf(world(fdb('a', 'vx', '00:05:46', '10.99.0.1')))
    expect(send(lab, 'a vx', raw(X, '00:05:46'))).toEqual(['a vx >'])
    expect(countsOf(lab, 'a vx')).toEqual({ txErrors: 1 })
    expect(dropsOf(lab)).toEqual(['vx no-tunnel-route'])
  })

  test('that is down does not listen', () => {
    const lab = labOf(world(set('b', 'vx', { up: false })))
    send(lab, 'a vx', raw(X, ALL))
    expect(lab.received).toEqual(['b nobody'])
  })

  test('listens for its network only', () => {
    const lab = labOf(world(vxlan('a', 'v9', '00:02:66', { vni: 9, remote: ip('192.168.0.2'), ttl: 9 })))
    expect(send(lab, 'a v9', raw(X, ALL))).toEqual(['a v9 >'])
    expect(lab.packets).toMatchObject([{ ttl: 9, body: { payload: { vni: 9 } } }])
    expect(dropsOf(lab)).toEqual(['u no-tunnel'])
  })

  test('leaves what is too long for IPv4 to fragment', () => {
    const lab = labOf(world(set('a', 'vx', { mtu: 2000 })))
    expect(send(lab, 'a vx', raw(X, Y, [], 1600))).toEqual(there)
    expect(countsOf(lab, 'a vx')).toEqual({ txPackets: 1, txBytes: 1600 })
  })
})

describe('a VXLAN over IPv6', () => {
  const over6 = (options: object = {}) =>
    worldOf([
      ...underlay,
      address('a', 'fd00::1', 64),
      address('b', 'fd00::2', 64),
      vxlan('a', 'vx', '00:01:0a', { vni: 7, remote: ip('fd00::2'), ...options }),
      vxlan('b', 'vx', '00:01:0b', { vni: 7, remote: ip('fd00::1') }),
      set('a', 'vx', { mtu: 2000 }),
    ])

  test('has a checksum outside, and takes none without', () => {
    const lab = labOf(over6())
    expect(send(lab, 'a vx', raw(X, ALL))).toEqual(there)
    expect(lab.packets).toMatchObject([{ tag: 'ip6', ttl: 64, body: { checked: true } }])
    const bare = labOf(over6({ udpZeroCsum6Tx: true }))
    expect(send(bare, 'a vx', raw(X, ALL))).toEqual(['a vx >'])
    expect(bare.packets).toMatchObject([{ body: { checked: false } }])
  })

  test('fragments nothing', () => {
    const lab = labOf(over6())
    expect(send(lab, 'a vx', raw(X, ALL, [], 1430))).toEqual(there)
    expect(send(lab, 'a vx', raw(X, ALL, [], 1500))).toEqual(['a vx >'])
    expect(countsOf(lab, 'a vx')).toEqual({ txPackets: 1, txBytes: 1430, txErrors: 1 })
  })
})

describe('a VXLAN that is a proxy', () => {
  const own = '00:02:66'
  const lab = (options: object = {}) =>
    labOf(worldOf([...underlay, vxlan('a', 'vp', own, { vni: 9, remote: ip('192.168.0.2'), proxy: true, ...options })]))
  const arp = (op: Arp['op'], target: string): Arp => ({
    tag: 'arp',
    op,
    senderMac: mac(own),
    sender: ip('10.0.0.1') as Ip4,
    targetMac: ZERO_MAC,
    target: ip(target) as Ip4,
  })

  test('answers for a neighbour it has, and lets no question out', () => {
    const made = lab()
    made.neighbours.set('vp 10.0.0.2', { mac: mac('00:09:02'), valid: true, connected: true, router: false })
    expect(send(made, 'a vp', frame(mac(own), ALL, arp('request', '10.0.0.2')))).toEqual(['a vp <', 'a vp >'])
    expect(made.received).toEqual([`a vp ${mac('00:09:02').toString(16)}`])
    expect(send(made, 'a vp', frame(mac(own), ALL, arp('request', '10.0.0.3')))).toEqual(['a vp >'])
    expect(send(made, 'a vp', frame(mac(own), ALL, arp('reply', '10.0.0.3')))).toEqual(['a vp >'])
    expect(countsOf(made, 'a vp')).toEqual({})
  })

  test('does not answer for one that is only suspected', () => {
    const made = lab()
    made.neighbours.set('vp 10.0.0.2', { mac: mac('00:09:02'), valid: true, connected: false, router: false })
    expect(send(made, 'a vp', frame(mac(own), ALL, arp('request', '10.0.0.2')))).toEqual(['a vp >'])
  })

  test('says whom it does not know, if it is to', () => {
    const made = lab({ l2miss: true, l3miss: true, remote: undefined, local: ip('192.168.0.1') })
    const events = () =>
      made.steps.flatMap(({ event }) => (event.tag === 'missed-ip' || event.tag === 'missed-mac' ? [event.tag] : []))
    send(made, 'a vp', frame(mac(own), ALL, arp('request', '10.0.0.3')))
    expect(events()).toEqual(['missed-ip'])
    send(made, 'a vp', raw(own, '00:09:09'))
    expect(events()).toEqual(['missed-mac'])
    send(made, 'a vp', raw(own, ALL))
    expect(events()).toEqual([])
  })

  test('answers solicitations, to the MAC that they name', () => {
    const made = lab()
    const target = ip('fd00::2') as Ip6
    made.neighbours.set('vp fd00::2', { mac: mac('00:09:02'), valid: true, connected: true, router: false })
    const ask = {
      proto: 'icmp6',
      type: 'neighbour-solicitation',
      target,
      options: [{ tag: 'source', mac: mac('00:07:07') }],
    } as const
    send(
      made,
      'a vp',
      frame(mac(own), mac('33:33:ff:00:00:02'), {
        ...packet6(ip('fd00::1') as Ip6, ip('ff02::1:ff00:2') as Ip6, ask),
        ttl: 255,
      }),
    )
    const answer = made.steps.find(({ event }) => event.tag === 'answered')
    expect(answer?.frame).toMatchObject({ src: mac('00:09:02'), dst: mac('00:07:07') })
    expect(answer?.payload).toMatchObject({
      src: target,
      dst: ip('fd00::1'),
      ttl: 255,
      body: { type: 'neighbour-advertisement', solicited: true, override: true, router: false },
    })
  })
})

describe('a VXLAN that is a port of a bridge', () => {
  const bridged = () =>
    labOf(
      world(
        link('a', 'br0', { kind: 'bridge' }),
        set('a', 'vx', { master: ifName('br0') }),
        ...netns('c'),
        ...veth('a', 'p', '00:03:0a', 'c', 'e', '00:03:0c'),
        set('a', 'p', { master: ifName('br0') }),
      ),
    )
  const body = { proto: 'raw', protocol: 253, bytes: new Uint8Array(1450) } as const
  const packet = (from: Ip, to: Ip, df: boolean) => ({ ...packet4(from as Ip4, to as Ip4, body), df })

  test('tells the sender that a packet does not fit, in the name of whom it is for', () => {
    const lab = bridged()
    expect(
      send(lab, 'c e', frame(mac('00:03:0c'), mac('00:03:0d'), packet(ip('10.0.0.1'), ip('10.0.0.2'), true))),
    ).toContain('c e <')
    const told = lab.steps.find(({ payload }) => payload.tag === 'ip4' && payload.body.proto === 'icmp')
    expect(told?.frame).toMatchObject({ src: mac('00:03:0d'), dst: mac('00:03:0c') })
    expect(told?.payload).toMatchObject({
      src: ip('10.0.0.2'),
      dst: ip('10.0.0.1'),
      body: { code: 'fragmentation-needed', mtu: 1450 },
    })
    expect(lab.packets).toEqual([])
  })

  test('and of IPv6, with what was left of the hop limit of the packet', () => {
    const lab = bridged()
    const long = { ...packet6(ip('fd00::1') as Ip6, ip('fd00::2') as Ip6, body), ttl: 77 }
    send(lab, 'c e', frame(mac('00:03:0c'), mac('00:03:0d'), long))
    const told = lab.steps.find(({ payload }) => payload.tag === 'ip6' && payload.body.proto === 'icmp6')
    expect(told?.payload).toMatchObject({
      src: ip('fd00::2'),
      dst: ip('fd00::1'),
      ttl: 77,
      body: { type: 'packet-too-big', mtu: 1450 },
    })
  })

  test('has others fragmented outside', () => {
    const lab = bridged()
    expect(
      send(lab, 'c e', frame(mac('00:03:0c'), mac('00:03:0d'), packet(ip('10.0.0.1'), ip('10.0.0.2'), false))),
    ).toContain('b vx <')
  })
})

test('what a VXLAN has learned is forgotten when it has not been heard of for its age', () => {
  const lab = labOf(world())
  send(lab, 'a vx', raw(X, ALL))
  const space = spaceIn(lab, 'b')
  const learned = closeDevices(space, space.entry)
  expect(getIn(getIn(learned.links, 'vx')?.remotes ?? linkIn(world(), 'b vx').remotes, String(mac(X)))).toMatchObject({
    state: 'dynamic',
    remotes: [{ ip: ip('192.168.0.1') }],
  })
  expect(agedDevices(learned, 299_999)).toBe(learned)
  const aged = agedDevices(learned, 300_000)
  expect(getIn(getIn(aged.links, 'vx')?.remotes ?? linkIn(world(), 'a vx').remotes, String(mac(X)))).toBeUndefined()
  lab.plane.nowMs += 300_000
  expect(send(lab, 'b vx', raw(Y, X))).toEqual(['b vx >'])
})
