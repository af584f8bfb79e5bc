// What bridges that filter VLANs do with frames. From what the kernel's source says (net/bridge/br_vlan.c): this machine's kernel is built
// without, so these facts were not measured here.

import { describe, expect, test } from 'vitest'
import type { VlanRequest } from '../../../../src/kernel/rtnl/request.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import type { Frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { ifName } from '../../../../src/net/name.ts'
import { ALL, dropsOf, labOf, link, mac, netns, raw, send, set, tag, veth, worldOf } from './lab.ts'

type Asked = Parameters<typeof worldOf>[0]

describe('a bridge that filters VLANs', () => {
  const vlan = (dev: string, id: number, more: Partial<VlanRequest> = {}): Asked[number] => [
    'br',
    { on: 'vlan', do: 'add', dev: ifName(dev), id, ...more },
  ]
  /** All are in VLAN 1, which is the PVID, untagged; p1: 10 tagged; p2: 10 untagged, and the PVID; p3: 10 and 20 tagged. */
  const world = (...more: Asked): World =>
    worldOf([
      ...netns('br'),
      link('br', 'br0', { kind: 'bridge', vlanFiltering: true }, { mac: mac('00:00:b0') }),
      ...[1, 2, 3].flatMap((n) => [
        ...netns(`h${n}`),
        ...veth('br', `p${n}`, `00:01:0${n}`, `h${n}`, 'e', `00:02:0${n}`),
        set('br', `p${n}`, { master: ifName('br0') }),
      ]),
      vlan('p1', 10),
      vlan('p2', 10, { pvid: true, untagged: true }),
      vlan('p3', 10),
      vlan('p3', 20),
      ...more,
    ])
  const [H1, H2, H3] = ['00:02:01', '00:02:02', '00:02:03']
  /** What each host has had: `<host>` and the tags. */
  const had = (lab: ReturnType<typeof labOf>) =>
    lab.steps
      .flatMap(({ event, ns: space, frame: got }) =>
        event.tag === 'received' && space.startsWith('h')
          ? [[space, ...(got?.tags ?? []).map(({ vid }) => vid)].join(' ')]
          : [],
      )
      .sort()
  const hadAfter = (at: string, sent: Frame, lab = labOf(world())) => {
    send(lab, at, sent)
    return had(lab)
  }

  test('takes what has no tag as of the PVID, and gives it with a tag where the VLAN is tagged', () => {
    expect(hadAfter('h1 e', raw(H1, ALL))).toEqual(['h2', 'h3'])
    expect(hadAfter('h2 e', raw(H2, ALL))).toEqual(['h1 10', 'h3 10'])
    expect(hadAfter('h1 e', raw(H1, ALL, [tag(10)]))).toEqual(['h2', 'h3 10'])
  })

  test('takes a tag of VLAN 0 for none, but keeps its priority', () => {
    const lab = labOf(world())
    expect(hadAfter('h2 e', raw(H2, ALL, [{ ...tag(0), priority: 5 }]), lab)).toEqual(['h1 10', 'h3 10'])
    const got = lab.steps.find(({ event, ns: space }) => event.tag === 'received' && space === 'h1')
    expect(got?.frame?.tags).toEqual([{ protocol: '802.1Q', vid: 10, priority: 5, dei: false }])
  })

  test('takes no VLAN that the port is not in', () => {
    const lab = labOf(world())
    expect(hadAfter('h1 e', raw(H1, ALL, [tag(20)]), lab)).toEqual([])
    expect(dropsOf(lab)).toContain('p1 vlan-not-member')
  })

  test('takes a tag of another protocol for part of what is carried', () => {
    expect(hadAfter('h1 e', raw(H1, ALL, [tag(20, '802.1ad')]))).toEqual(['h2 20', 'h3 20'])
    expect(hadAfter('h1 e', raw(H1, ALL, [tag(10), tag(30)]))).toEqual(['h2 30', 'h3 10 30'])
  })

  test('learns in each VLAN by itself', () => {
    const lab = labOf(world())
    hadAfter('h1 e', raw(H1, ALL, [tag(10)]), lab)
    expect(hadAfter('h3 e', raw(H3, H1, [tag(10)]), lab)).toEqual(['h1 10'])
    expect(hadAfter('h3 e', raw(H3, H1), lab)).toEqual(['h1', 'h2'])
  })

  test('hands up what its own device is in', () => {
    const up = (lab: ReturnType<typeof labOf>) =>
      lab.steps.flatMap(({ event, dev, frame: got }) =>
        event.tag === 'received' && dev === 'br0' ? [got?.tags.length] : [],
      )
    const lab = labOf(world())
    hadAfter('h1 e', raw(H1, '00:00:b0'), lab)
    expect(up(lab)).toEqual([0])
    hadAfter('h1 e', raw(H1, ALL, [tag(10)]), lab)
    expect(up(lab)).toEqual([])
    const member = labOf(world(vlan('br0', 10, { self: true })))
    hadAfter('h1 e', raw(H1, ALL, [tag(10)]), member)
    expect(up(member)).toEqual([1])
    expect(hadAfter('br br0', raw('00:00:b0', ALL, [tag(10)]), member)).toEqual(['h1 10', 'h2', 'h3 10'])
    expect(hadAfter('br br0', raw('00:00:b0', ALL, [tag(20)]), member)).toEqual([])
  })
})
