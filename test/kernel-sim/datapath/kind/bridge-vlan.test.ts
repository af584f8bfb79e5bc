// What bridges that filter VLANs do with frames. From what the kernel's source says (net/bridge/br_vlan.c): this machine's kernel is built
// without, so these facts were not measured here.

import { describe, expect, test } from 'vitest'
import { linkWith, nsWith, type VlanTable, type World } from '../../../../src/kernel-sim/state.ts'
import type { Frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { ifName } from '../../../../src/net/name.ts'
import { getIn, setIn } from '../../../../src/net/pmap.ts'
import { ALL, dropsOf, labOf, link, linkIn, mac, netns, raw, send, set, tag, veth, worldOf } from './lab.ts'

/** `untagged`: the VLANs, and whether each leaves without its tag. */
const vlans = (pvid: number, untagged: ReadonlyArray<readonly [number, boolean]>): VlanTable => ({
  pvid,
  untagged: new Map(untagged),
})

const withVlans = (world: World, at: string, table: VlanTable): World => {
  const { name } = linkIn(world, at)
  const [space = ''] = at.split(' ')
  const entry = getIn(world.namespaces, space)
  if (entry === undefined) return world
  const links = setIn(entry.links, name, linkWith(linkIn(world, at), { vlans: table }))
  return { ...world, namespaces: setIn(world.namespaces, space, nsWith(entry, { links })) }
}

describe('a bridge that filters VLANs', () => {
  /** p1: 1 untagged, 10 tagged; p2: 10 untagged; p3: 10 and 20 tagged, 1 untagged. */
  const world = (ofBridge: VlanTable = vlans(1, [[1, true]])): World => {
    const plain = worldOf([
      ...netns('br'),
      link('br', 'br0', { kind: 'bridge', vlanFiltering: true }, { mac: mac('00:00:b0') }),
      ...[1, 2, 3].flatMap((n) => [
        ...netns(`h${n}`),
        ...veth('br', `p${n}`, `00:01:0${n}`, `h${n}`, 'e', `00:02:0${n}`),
        set('br', `p${n}`, { master: ifName('br0') }),
      ]),
    ])
    const tables = {
      br0: ofBridge,
      p1: vlans(1, [
        [1, true],
        [10, false],
      ]),
      p2: vlans(10, [
        [1, true],
        [10, true],
      ]),
      p3: vlans(1, [
        [1, true],
        [10, false],
        [20, false],
      ]),
    }
    return Object.entries(tables).reduce((now, [name, table]) => withVlans(now, `br ${name}`, table), plain)
  }
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
    hadAfter('h1 e', raw(H1, ALL), lab)
    expect(up(lab)).toEqual([0])
    hadAfter('h1 e', raw(H1, ALL, [tag(10)]), lab)
    expect(up(lab)).toEqual([])
    const member = labOf(
      world(
        vlans(1, [
          [1, true],
          [10, false],
        ]),
      ),
    )
    hadAfter('h1 e', raw(H1, ALL, [tag(10)]), member)
    expect(up(member)).toEqual([1])
    expect(hadAfter('br br0', raw('00:00:b0', ALL, [tag(10)]), member)).toEqual(['h1 10', 'h2', 'h3 10'])
    expect(hadAfter('br br0', raw('00:00:b0', ALL, [tag(20)]), member)).toEqual([])
  })
})
