// What bridges do with frames. Each fact was seen on Linux 6.18 with raw frames, but for those of VLANs (bridge-vlan.test.ts).

import { describe, expect, test } from 'vitest'
import { closeDevices } from '../../../../src/kernel-sim/datapath/kind/close.ts'
import { fdbOf } from '../../../../src/kernel-sim/fdb.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import type { Arp } from '../../../../src/kernel-sim/wire/arp.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { type Ip4, ip } from '../../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../../src/net/mac.ts'
import { ifName } from '../../../../src/net/name.ts'
import { getIn } from '../../../../src/net/pmap.ts'
import {
  ALL,
  countsOf,
  device,
  dropsOf,
  filtered,
  labOf,
  link,
  linkIn,
  mac,
  netns,
  port,
  raw,
  send,
  set,
  spaceIn,
  tag,
  veth,
  worldOf,
} from './lab.ts'

/** br0 (00:00:b0) with ports p1 to p3 (00:01:01 to 03), whose other ends are e (00:02:01 to 03) in h1 to h3. */
const world = (...more: Parameters<typeof worldOf>[0]): World =>
  worldOf([
    ...netns('br'),
    link('br', 'br0', { kind: 'bridge' }, { mac: mac('00:00:b0') }),
    ...[1, 2, 3].flatMap((n) => [
      ...netns(`h${n}`),
      ...veth('br', `p${n}`, `00:01:0${n}`, `h${n}`, 'e', `00:02:0${n}`),
      set('br', `p${n}`, { master: ifName('br0') }),
    ]),
    ...more,
  ])

const H1 = '00:02:01'
const H2 = '00:02:02'
const flooded = ['br p1 <', 'br p2 >', 'br p3 >', 'h1 e >', 'h2 e <', 'h3 e <']
const flooded1 = [...flooded, 'br br0 <'].sort()
const to2 = ['br p1 <', 'br p2 >', 'h1 e >', 'h2 e <']
const only1 = ['br p1 <', 'h1 e >']

describe('a bridge', () => {
  test('floods what it does not know, and learns where it came from', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', raw(H1, H2))).toEqual(flooded)
    expect(send(lab, 'h2 e', raw(H2, H1))).toEqual(['br p1 >', 'br p2 <', 'h1 e <', 'h2 e >'])
  })

  test('hands what is for it, or for one of its ports, to its host, as its own receiving', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', raw(H1, '00:00:b0'))).toEqual(['br br0 <', ...only1])
    expect(countsOf(lab, 'br br0')).toEqual({ rxPackets: 1, rxBytes: 50, rxDropped: 1 })
    expect(send(lab, 'h1 e', raw(H1, '00:01:01'))).toEqual(['br br0 <', ...only1])
  })

  test('hands a packet to the MAC of another port up, too, and there it is for another host', () => {
    const lab = labOf(world())
    const arp = (dst: string) => frame(mac(H1), mac(dst), question('10.0.0.9'))
    send(lab, 'h1 e', arp('00:01:02'))
    expect(dropsOf(lab)).toEqual(['br0 other-host'])
    send(lab, 'h1 e', arp('00:01:01'))
    expect(lab.received).toEqual(['br br0 20000000201'])
  })

  test('takes no frame from a group, or from zero', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', { ...raw(H1, H2), src: mac('03:00:00:00:00:01') })).toEqual(only1)
    expect(send(lab, 'h1 e', { ...raw(H1, H2), src: ZERO_MAC })).toEqual(only1)
  })

  test('gives broadcasts and groups to all, its host too', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', raw(H1, ALL))).toEqual(flooded1)
    expect(send(lab, 'h1 e', raw(H1, '01:00:5e:00:00:05'))).toEqual(flooded1)
    expect(send(lab, 'h1 e', raw(H1, '01:80:c2:00:00:21'))).toEqual(flooded1)
  })

  test('forwards the group of STP only if it does not speak it, and no other reserved one', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', raw(H1, '01:80:c2:00:00:00'))).toEqual(flooded1)
    for (const group of ['01', '03', '0e']) expect(send(lab, 'h1 e', raw(H1, `01:80:c2:00:00:${group}`))).toEqual(only1)
    expect(countsOf(lab, 'br p1')).toMatchObject({ rxPackets: 4, rxDropped: 2 })
  })

  test('learns who sends to a reserved group', () => {
    const lab = labOf(world())
    send(lab, 'h1 e', raw('00:02:09', '01:80:c2:00:00:03'))
    expect(send(lab, 'h2 e', raw(H2, '00:02:09'))).toEqual(['br p1 >', 'br p2 <', 'h1 e <', 'h2 e >'])
  })

  test('does not learn its own MACs, and forwards what seems to come from them', () => {
    const lab = labOf(world())
    send(lab, 'h2 e', raw(H2, H1))
    expect(send(lab, 'h1 e', raw('00:00:b0', H2))).toEqual(to2)
    expect(send(lab, 'h1 e', raw('00:01:02', H2))).toEqual(to2)
    expect(send(lab, 'h3 e', raw('00:02:03', '00:00:b0'))).toEqual(['br br0 <', 'br p3 <', 'h3 e >'])
  })

  test('gives a port no frame longer than its MTU and a tag', () => {
    const lab = labOf(world(set('br', 'p2', { mtu: 1000 })))
    send(lab, 'h2 e', raw(H2, H1))
    expect(send(lab, 'h1 e', raw(H1, H2, [], 1004))).toEqual(to2)
    expect(send(lab, 'h1 e', raw(H1, H2, [], 1005))).toEqual(only1)
    expect(send(lab, 'h1 e', raw(H1, H2, [tag(5)], 1004))).toEqual(to2)
    expect(countsOf(lab, 'br p2')).not.toHaveProperty('txDropped')
  })

  test('loses a frame that is too long for the other end, which both count', () => {
    const lab = labOf(world(set('h2', 'e', { mtu: 900 })))
    send(lab, 'h2 e', raw(H2, H1))
    expect(send(lab, 'h1 e', raw(H1, H2, [], 905))).toEqual(['br p1 <', 'br p2 >', 'h1 e >'])
    expect(countsOf(lab, 'br p2')).toEqual({ rxPackets: 1, rxBytes: 64, txDropped: 1 })
    expect(countsOf(lab, 'h2 e')).toEqual({ txPackets: 1, txBytes: 64, rxDropped: 1 })
  })

  test('does not look at tags, and no device with one counts it', () => {
    const lab = labOf(world())
    expect(send(lab, 'h1 e', raw(H1, H2, [tag(5)]))).toEqual(flooded)
    expect(countsOf(lab, 'br p2')).toEqual({ txPackets: 1, txBytes: 64 })
  })
})

describe('what the host sends by its bridge', () => {
  test('goes to who is known, or to all', () => {
    const lab = labOf(world())
    expect(send(lab, 'br br0', raw('00:00:b0', '00:07:02'))).toEqual([
      'br br0 >',
      'br p1 >',
      'br p2 >',
      'br p3 >',
      'h1 e <',
      'h2 e <',
      'h3 e <',
    ])
    send(lab, 'h2 e', raw(H2, H1))
    expect(send(lab, 'br br0', raw('00:00:b0', H2))).toEqual(['br br0 >', 'br p2 >', 'h2 e <'])
    expect(countsOf(lab, 'br br0')).toEqual({ txPackets: 2, txBytes: 128 })
  })

  test("leaves by a port for that port's own MAC, and goes nowhere for the bridge's", () => {
    const lab = labOf(world())
    expect(send(lab, 'br br0', raw('00:00:b0', '00:01:02'))).toEqual(['br br0 >', 'br p2 >', 'h2 e <'])
    expect(send(lab, 'br br0', raw('00:00:b0', '00:00:b0'))).toEqual(['br br0 >'])
  })
})

describe('entries put in by hand', () => {
  const entry = (text: string, dev: string, more: object) =>
    ['br', { on: 'fdb', do: 'add', dev: ifName(dev), mac: mac(text), of: 'master', ...more }] as const

  test('a static one moves with its MAC, a sticky one stays', () => {
    const before = world(
      entry('00:09:01', 'p3', { state: 'static' }),
      entry('00:09:02', 'p3', { state: 'static', sticky: true }),
    )
    const lab = labOf(before)
    send(lab, 'h1 e', raw('00:09:01', H2))
    send(lab, 'h1 e', raw('00:09:02', H2))
    const space = spaceIn(lab, 'br')
    const bridge = getIn(closeDevices(space, space.entry).links, 'br0')
    expect(bridge && fdbOf(bridge.fdb, mac('00:09:01'))).toMatchObject({ dev: 'p1', state: 'static' })
    expect(bridge && fdbOf(bridge.fdb, mac('00:09:02'))).toMatchObject({ dev: 'p3', sticky: true })
  })

  test("a local one is the host's", () => {
    const lab = labOf(world(entry('00:09:03', 'p3', { state: 'local' })))
    expect(send(lab, 'h1 e', raw(H1, '00:09:03'))).toEqual(['br br0 <', ...only1])
  })

  test('a locked port takes frames of those only who were put in for it', () => {
    const lab = labOf(world(port('br', 'p1', { locked: true }), entry('00:08:02', 'p1', { state: 'static' })))
    expect(send(lab, 'h1 e', raw('00:08:01', ALL))).toEqual(only1)
    expect(dropsOf(lab)).toEqual(['p1 port-locked'])
    expect(send(lab, 'h1 e', raw('00:08:02', ALL))).toEqual(flooded1)
  })
})

describe('a port', () => {
  test('without floods has none, but what the host itself sends to a group', () => {
    const lab = labOf(world(port('br', 'p2', { flood: false, mcastFlood: false, bcastFlood: false })))
    const but2 = ['br p1 <', 'br p3 >', 'h1 e >', 'h3 e <']
    expect(send(lab, 'h1 e', raw(H1, '00:07:01'))).toEqual(but2)
    expect(send(lab, 'h1 e', raw(H1, ALL))).toEqual(['br br0 <', ...but2])
    expect(send(lab, 'h1 e', raw(H1, '01:00:5e:00:00:05'))).toEqual(['br br0 <', ...but2])
    expect(send(lab, 'br br0', raw('00:00:b0', '00:07:01'))).not.toContain('h2 e <')
    expect(send(lab, 'br br0', raw('00:00:b0', ALL))).toContain('h2 e <')
  })

  test('that does not learn is not found', () => {
    const lab = labOf(world(port('br', 'p1', { learning: false })))
    send(lab, 'h1 e', raw(H1, ALL))
    expect(send(lab, 'h2 e', raw(H2, H1))).toContain('h3 e <')
  })

  test('has its own frames back only with hairpin', () => {
    const lab = labOf(world())
    send(lab, 'h1 e', raw(H1, ALL))
    expect(send(lab, 'h1 e', raw(H1, H1))).toEqual(only1)
    const bent = labOf(world(port('br', 'p1', { hairpin: true })))
    expect(send(bent, 'h1 e', raw(H1, ALL))).toContain('h1 e <')
    expect(send(bent, 'h1 e', raw(H1, H1))).toEqual(['br p1 <', 'br p1 >', 'h1 e <', 'h1 e >'])
  })

  test('that is isolated speaks to those only that are not', () => {
    const lab = labOf(world(port('br', 'p1', { isolated: true }), port('br', 'p3', { isolated: true })))
    expect(send(lab, 'h1 e', raw(H1, ALL))).toEqual(['br br0 <', 'br p1 <', 'br p2 >', 'h1 e >', 'h2 e <'])
  })

  test('listening takes nothing and gives nothing; learning takes to learn; a blocked one hears reserved groups', () => {
    const lab = labOf(world(port('br', 'p1', { state: 1 })))
    expect(send(lab, 'h1 e', raw(H1, ALL))).toEqual(only1)
    expect(send(lab, 'h2 e', raw(H2, H1))).not.toContain('h1 e <')
    const learning = labOf(world(port('br', 'p1', { state: 2 })))
    expect(send(learning, 'h1 e', raw(H1, ALL))).toEqual(only1)
    expect(send(learning, 'h2 e', raw(H2, H1))).toEqual(['br p2 <', 'h2 e >'])
    const blocked = labOf(world(port('br', 'p1', { state: 4 })))
    send(blocked, 'h1 e', raw(H1, '01:80:c2:00:00:03'))
    expect(countsOf(blocked, 'br p1')).toMatchObject({ rxDropped: 1 })
  })
})

describe('age', () => {
  test('an entry is good for the ageing time since it was last heard, and no longer', () => {
    const lab = labOf(world())
    send(lab, 'h1 e', raw(H1, ALL))
    lab.plane.nowMs += 299_999
    expect(send(lab, 'h2 e', raw(H2, H1))).not.toContain('h3 e <')
    lab.plane.nowMs += 1
    expect(send(lab, 'h2 e', raw(H2, H1))).toContain('h3 e <')
  })

  test('a bridge whose entries have no age learns none', () => {
    const lab = labOf(world(set('br', 'br0', { kind: { kind: 'bridge', ageingTime: 0 } })))
    send(lab, 'h1 e', raw(H1, ALL))
    expect(send(lab, 'h2 e', raw(H2, H1))).toContain('h3 e <')
  })

  test('what is learned is in the next world, and what has not changed is the same', () => {
    const before = world()
    const lab = labOf(before)
    send(lab, 'h1 e', raw(H1, H2))
    const space = spaceIn(lab, 'br')
    const after = closeDevices(space, space.entry)
    const bridge = getIn(after.links, 'br0')
    expect(bridge && fdbOf(bridge.fdb, mac(H1))).toEqual({
      mac: mac(H1),
      vlan: 0,
      dev: 'p1',
      state: 'dynamic',
      byUser: false,
      sticky: false,
      seenMs: 0,
    })
    expect(getIn(after.links, 'p1')).toBe(linkIn(before, 'br p1'))
    expect(getIn(after.tallies, 'p1')).toMatchObject({ rxPackets: 1, rxBytes: 64 })
    const still = labOf({ ...before, namespaces: before.namespaces })
    send(still, 'h1 e', raw(H1, H1))
    const quiet = spaceIn(still, 'h3')
    expect(closeDevices(quiet, quiet.entry)).toBe(quiet.entry)
  })
})

const address = (text: string): Ip4 => ip(text) as Ip4
const question = (target: string, sender = '10.0.0.1', senderMac = H1): Arp => ({
  tag: 'arp',
  op: 'request',
  senderMac: mac(senderMac),
  sender: address(sender),
  targetMac: ZERO_MAC,
  target: address(target),
})

describe('a port with neighSuppress', () => {
  /** p2 has it; h2 and h3 have been heard; the bridge knows both as neighbours, and has an address. */
  const lab = () => {
    const made = labOf(
      world(port('br', 'p2', { neighSuppress: true }), [
        'br',
        { on: 'address', do: 'add', dev: ifName('br0'), cidr: { ip: address('10.0.0.254'), bits: 24 } },
      ]),
    )
    const known = { valid: true, connected: true, router: false }
    made.neighbours.set('br0 10.0.0.2', { mac: mac(H2), ...known })
    made.neighbours.set('br0 10.0.0.3', { mac: mac('00:02:03'), ...known })
    send(made, 'h2 e', raw(H2, ALL))
    send(made, 'h3 e', raw('00:02:03', ALL))
    return made
  }
  const ask = (arp: Arp, dst = ALL) => frame(arp.senderMac, dst, arp)
  const but2 = ['br br0 <', 'br p1 <', 'br p3 >', 'h1 e >', 'h3 e <']

  test('is answered for, in the name of who is behind it, and not asked', () => {
    const made = lab()
    expect(send(made, 'h1 e', ask(question('10.0.0.2')))).toEqual([...but2, 'br p1 >', 'h1 e <'].sort())
    const answer = made.steps.find(({ event }) => event.tag === 'answered')
    expect(answer?.frame).toMatchObject({ src: mac(H2), dst: mac(H1) })
    expect(answer?.payload).toMatchObject({ op: 'reply', sender: address('10.0.0.2'), targetMac: mac(H1) })
  })

  test('is spared questions for known ones elsewhere, for the bridge, and for nobody', () => {
    const made = lab()
    for (const target of ['10.0.0.3', '10.0.0.254', '10.0.0.1'])
      expect(send(made, 'h1 e', ask(question(target)))).toEqual(but2)
  })

  test('is asked for who is not known, and when it is asked alone', () => {
    const made = lab()
    expect(send(made, 'h1 e', ask(question('10.0.0.77')))).toContain('h2 e <')
    expect(send(made, 'h1 e', ask(question('10.0.0.2'), mac(H2)))).toEqual(to2)
  })

  test('asks as others do', () => {
    const made = lab()
    expect(send(made, 'h2 e', ask(question('10.0.0.3', '10.0.0.2', H2)))).toContain('h3 e <')
  })

  test('keeps the bridge from asking behind it, which then sends an answer to itself', () => {
    const made = lab()
    const own = question('10.0.0.2', '10.0.0.254', '00:00:b0')
    const before = countsOf(made, 'br br0').txPackets ?? 0
    expect(send(made, 'br br0', ask(own))).not.toContain('h2 e <')
    expect(countsOf(made, 'br br0').txPackets).toBe(before + 2)
  })
})

test('the bridge device hears everything while a macvlan is on it', () => {
  const made = labOf(
    world(
      ...netns('m'),
      link('br', 'mv', { kind: 'macvlan', mode: 'bridge' }, { dev: ifName('br0'), mac: mac('00:05:01') }),
    ),
  )
  send(made, 'h2 e', raw(H2, ALL))
  expect(send(made, 'h1 e', raw(H1, H2))).toEqual(['br br0 <', ...to2])
  expect(device(made, 'br mv').link.up).toBe(true)
})

test('a bridge that is down takes nothing', () => {
  const made = labOf(world(set('br', 'br0', { up: false })))
  expect(send(made, 'h1 e', raw(H1, ALL))).toEqual(only1)
  expect(dropsOf(made)).toEqual(['p1 port-inactive'])
})

describe('a firewall in the namespace', () => {
  test('sees a bridged frame before it is looked up, when it is forwarded, and as it leaves', () => {
    const made = labOf(filtered(world(), 'br'))
    send(made, 'h1 e', raw(H1, ALL))
    expect(made.hooks).toEqual([
      'netdev ingress p1 -',
      'bridge prerouting p1 -',
      'bridge forward p1 p3',
      'bridge postrouting - p3',
      'netdev egress - p3',
      'bridge forward p1 p2',
      'bridge postrouting - p2',
      'netdev egress - p2',
      'bridge input p1 -',
      'netdev ingress br0 -',
    ])
  })

  test('sees what the host sends at output, and reserved groups at input', () => {
    const made = labOf(filtered(world(), 'br'))
    send(made, 'br br0', raw('00:00:b0', '00:01:02'))
    expect(made.hooks.slice(0, 3)).toEqual(['netdev egress - br0', 'bridge output - p2', 'bridge postrouting - p2'])
    send(made, 'h1 e', raw(H1, '01:80:c2:00:00:03'))
    expect(made.hooks).toEqual(['netdev ingress p1 -', 'bridge input p1 -'])
  })

  test('may end a frame', () => {
    const made = labOf(filtered(world(), 'br'))
    made.verdict.of = ({ hook, oif }, skb) => (hook === 'forward' && oif?.name === 'p2' ? null : skb)
    expect(send(made, 'h1 e', raw(H1, ALL))).toEqual(
      flooded1.filter((where) => where !== 'br p2 >' && where !== 'h2 e <'),
    )
  })
})

test('a mark goes along by a veth within a namespace, and not to another', () => {
  const made = labOf(
    filtered(worldOf([...netns('x'), ...veth('x', 'v', '00:03:01', 'x', 'w', '00:03:02')], world()), 'x'),
  )
  const marks: number[] = []
  made.verdict.of = ({ hook }, skb) => {
    if (hook === 'ingress') marks.push(skb.meta.mark)
    return skb
  }
  send(made, 'x v', raw('00:03:01', ALL), { mark: 7, flow: null })
  expect(marks).toEqual([7])
  const other = labOf(filtered(world(), 'br'))
  other.verdict.of = (_, skb) => {
    marks.push(skb.meta.mark)
    return skb
  }
  send(other, 'h1 e', raw(H1, H1), { mark: 7, flow: null })
  expect(marks).toEqual([7, 0, 0])
})
