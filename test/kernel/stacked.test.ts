// Devices on devices: a macvlan in a sandbox on a VLAN of the host, as commands, and what goes with what it is on.

import { describe, expect, test } from 'vitest'
import { cascade } from '../../src/kernel/cascade.ts'
import { diff } from '../../src/kernel/diff.ts'
import { keyOf, type Link, sameObject } from '../../src/kernel/object.ts'
import { ownedPart } from '../../src/kernel/owned.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { cidr } from '../../src/net/cidr.ts'
import { mac, ZERO_MAC } from '../../src/net/mac.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'

const C = ns('c1')
const CARD = { ns: HOST, name: ifName('eth9') }
const VLAN: Link = {
  kind: 'link',
  ns: HOST,
  name: ifName('eth9.10'),
  spec: { type: 'vlan', below: CARD, id: 10 },
  mac: ZERO_MAC,
  mtu: 0,
  up: true,
  alias: 'cnm:network/1',
}
const INSIDE: Link = {
  kind: 'link',
  ns: C,
  name: ifName('eth0'),
  spec: { type: 'macvlan', below: { ns: HOST, name: VLAN.name }, mode: 'bridge' },
  mac: mac(0x02_00_00_00_00_01),
  mtu: 1400,
  up: true,
  alias: 'cnm:endpoint/1',
}
const ROOM = { kind: 'netns', ns: C, at: null } as const
const ADDRESS = { kind: 'address', ns: C, dev: INSIDE.name, cidr: cidr('10.0.0.2/24') } as const

const shell = (...links: ReadonlyArray<Link>): ReadonlyArray<string> =>
  links
    .flatMap((object) => commandsOf({ verb: 'create', object }, (space) => `ns-${space}`))
    .map(({ tool, ns: where, text }) => `${where}# ${tool} ${text}`)

describe('a device on another', () => {
  test('is made where that one is, whose name counts there, and gets its alias where it comes to be', () => {
    expect(shell(VLAN, INSIDE)).toEqual([
      'host# ip link add link eth9 name eth9.10 up type vlan id 10',
      'host# ip link set dev eth9.10 alias cnm:network/1',
      'host# ip link add link eth9.10 name eth0 netns ns-c1 address 02:00:00:00:00:01 mtu 1400 up type macvlan mode bridge',
      'c1# ip link set dev eth0 alias cnm:endpoint/1',
    ])
  })

  test('an ipvlan has no MAC of its own to be told', () => {
    const spec = { type: 'ipvlan', below: CARD, mode: 'l3s', flag: 'private' } as const
    expect(shell({ ...INSIDE, spec, mac: ZERO_MAC, mtu: 0, alias: null })).toEqual([
      'host# ip link add link eth9 name eth0 netns ns-c1 up type ipvlan mode l3s private',
    ])
  })

  test('comes after what it is on, and goes with it', () => {
    const host = stateOf([ADDRESS, INSIDE, VLAN, ROOM])
    expect(diff(EMPTY_STATE, host).map(({ object }) => keyOf(object))).toEqual(
      [ROOM, VLAN, INSIDE, ADDRESS].map((object) => keyOf(object)),
    )
    const gone = cascade(host, { verb: 'delete', object: VLAN })
    expect(new Set(gone)).toEqual(new Set([VLAN, INSIDE, ADDRESS].map((object) => keyOf(object))))
    const [one, ...others] = diff(host, stateOf([ROOM]))
    expect([one?.object, others]).toEqual([VLAN, []])
  })

  test('goes before its namespace, which the kernel takes apart when it likes, while its MAC is in use below', () => {
    const host = stateOf([ADDRESS, INSIDE, VLAN, ROOM])
    const gone = diff(host, stateOf([VLAN])).map(({ verb, object }) => `${verb} ${keyOf(object)}`)
    expect(gone).toEqual([`delete ${keyOf(INSIDE)}`, `delete ${keyOf(ROOM)}`])
  })

  test('without an MTU of its own equals itself with that of the device below', () => {
    expect(sameObject(VLAN, { ...VLAN, mtu: 9000 })).toBe(true)
    expect(sameObject(INSIDE, { ...INSIDE, mtu: 1500 })).toBe(false)
  })

  test('in an adopted namespace is ours if it is marked, for nobody in there can put one on a device of the host', () => {
    const theirs: Link = { ...INSIDE, name: ifName('eth1'), spec: { type: 'dummy' } }
    const strangers: Link = { ...INSIDE, name: ifName('eth2'), alias: null }
    const ours = ownedPart(stateOf([{ ...ROOM, at: '/proc/17/ns/net' }, INSIDE, theirs, strangers]), () => 'adopted')
    expect(objectsOf(ours).flatMap((object) => (object.kind === 'link' ? [object.name] : []))).toEqual([INSIDE.name])
  })
})
