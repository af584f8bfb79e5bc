// Packets by ipvlans: who has them in each mode and with each flag, and whose stack routes them.

import type { IpvlanFlag, IpvlanMode } from '../../../src/kernel/rtnl/kind.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import { cable, FORWARDS, LOOPBACK, owns, route, sendFrame, to } from './network.ts'
import { down, drop, has, inNs, ipvlan, lacks, macOf, mode, type Story, set, story, up } from './story.ts'

/** p of h with an ipvlan for each of a and b; o is outside. */
const shared = (kind: IpvlanMode, flag?: IpvlanFlag) => [
  LOOPBACK,
  ...inNs('o', LOOPBACK),
  ...cable('h', 'p', 'o', 'q', 0x10),
  ...owns('p', '10.0.0.1/24', 'fd00::1/64'),
  ...inNs('o', ...owns('q', '10.0.0.9/24', 'fd00::9/64')),
  ...(['a', 'b'] as const).flatMap((name, i) => [
    ...inNs(name, LOOPBACK),
    ipvlan(`i${name}`, 'p', { mode: kind, to: to(name), ...(flag === undefined ? {} : { flag }) }),
    ...inNs(name, up(`i${name}`), ...owns(`i${name}`, `10.0.0.${i + 2}/24`, `fd00::${i + 2}/64`)),
  ]),
]

/** Between all of them, and by raw frames. No two have the same port: what becomes of one in vain is told later. */
const EVERYBODY: ReadonlyArray<Try> = [
  ping('a', '10.0.0.3'),
  ping('a', 'fd00::3'),
  ping('a', '10.0.0.1'),
  ping('h', '10.0.0.2'),
  ping('h', 'fd00::2'),
  ping('a', '10.0.0.9'),
  ping('o', '10.0.0.3'),
  ping('o', 'fd00::3'),
  ping('o', '10.0.0.1'),
  ping('a', '10.0.0.2'),
  ask('tcp', 'a', '10.0.0.3', 80, { listen: 'b' }, { size: 10 }),
  ask('tcp', 'o', '10.0.0.2', 81, { listen: 'a' }),
  ask('udp', 'b', '10.0.0.9', 53, { listen: 'o' }),
  ask('udp', 'o', '10.0.0.2', 54),
  ping('o', '10.0.0.7'),
  sendFrame('o', 'q', { src: 0x11, ips: ['10.0.0.9', '10.0.0.255'] }),
  sendFrame('o', 'q', { src: 0x11, dst: 0x10, ips: ['10.0.0.9', '10.0.0.2'] }),
  sendFrame('o', 'q', { src: 0x11, dst: 0x77, ips: ['10.0.0.9', '10.0.0.2'] }),
  sendFrame('o', 'q', { src: 0x10, dst: 0x10, ips: ['10.0.0.2', '10.0.0.3'] }),
  sendFrame('a', 'ia', { src: 0x10, ips: ['10.0.0.2', '10.0.0.255'] }),
  sendFrame('a', 'ia', { src: 0x10, dst: 0x11, ips: ['10.0.0.2', '10.0.0.9'] }),
  sendFrame('a', 'ia', { src: 0x10, dst: 0x10, ips: ['10.0.0.2', '10.0.0.3'] }),
]

const inMode = (kind: IpvlanMode, flag: IpvlanFlag): Story =>
  story(`packets by ipvlans of mode ${kind}, ${flag}`, shared(kind, flag), ...EVERYBODY)

/** The stack below routes for networks of their own. */
const routed = (kind: IpvlanMode): ReadonlyArray<Request> => [
  ...inNs('h', LOOPBACK, ...FORWARDS),
  ...inNs('o', LOOPBACK),
  ...cable('h', 'p', 'o', 'q', 0x10),
  ...inNs('h', ...owns('p', '10.0.0.1/24', 'fd00::1/64')),
  ...inNs(
    'o',
    ...owns('q', '10.0.0.9/24', 'fd00::9/64'),
    route('10.1.0.0/16', { via: '10.0.0.1' }),
    route('fd01::/64', { via: 'fd00::1' }),
  ),
  ...(['a', 'b'] as const).flatMap((name, i) => [
    ...inNs(name, LOOPBACK),
    ...inNs('h', ipvlan(`i${name}`, 'p', { mode: kind, flag: 'bridge', to: to(name) })),
    ...inNs(
      name,
      up(`i${name}`),
      ...owns(`i${name}`, `10.1.${i}.1/24`, `fd01::${i + 1}/64`),
      route('0.0.0.0/0', { dev: `i${name}` }),
      route('::/0', { dev: `i${name}` }),
    ),
  ]),
]
const ROUTED: ReadonlyArray<Try> = [
  ping('a', '10.1.1.1'),
  ping('a', 'fd01::2'),
  ping('a', '10.0.0.1'),
  ping('a', '10.0.0.9'),
  ping('a', 'fd00::9'),
  ping('o', '10.1.0.1'),
  ping('o', 'fd01::1'),
  ping('o', '10.1.0.1', { ttl: 1 }),
  ping('o', '10.1.7.7'),
  ping('a', '10.9.9.9'),
  ping('a', '10.0.0.7'),
  ask('tcp', 'o', '10.1.0.1', 80, { listen: 'a' }),
  ask('tcp', 'a', '10.0.0.9', 81, { listen: 'o' }, { size: 10 }),
  ask('udp', 'o', '10.1.0.1', 53),
  ping('a', '10.0.0.9', { size: 1500 }),
  ping('a', '10.0.0.9', { size: 1500, df: true }),
  ping('h', '10.1.0.1'),
]
const routes = (kind: IpvlanMode): Story =>
  story(`ipvlans of mode ${kind} with networks of their own`, routed(kind), ...ROUTED)

export const IPVLAN_PACKETS: ReadonlyArray<Story> = [
  inMode('l2', 'bridge'),
  inMode('l2', 'private'),
  inMode('l2', 'vepa'),
  inMode('l3', 'bridge'),
  inMode('l3', 'private'),
  inMode('l3', 'vepa'),
  inMode('l3s', 'bridge'),
  inMode('l3s', 'private'),
  inMode('l3s', 'vepa'),
  routes('l3'),
  routes('l3s'),
  story(
    'a mode that is changed while neighbours are known',
    shared('l2', 'bridge'),
    ping('a', '10.0.0.9'),
    ping('a', '10.0.0.3'),
    ...inNs('a', mode('ia', { mode: 'l3' })),
    ping('a', '10.0.0.9'),
    ping('b', '10.0.0.2'),
    ...inNs('a', mode('ia', { mode: 'l2' })),
    ping('a', '10.0.0.9'),
    ping('o', '10.0.0.3'),
  ),
  story(
    'addresses and states of ipvlans while packets come',
    shared('l2', 'bridge'),
    ping('o', '10.0.0.2'),
    ...inNs('a', lacks('ia', '10.0.0.2/24')),
    ping('o', '10.0.0.2'),
    ...inNs('b', has('ib', '10.0.0.2/24')),
    ping('o', '10.0.0.2'),
    ...inNs('b', down('ib')),
    ping('o', '10.0.0.2'),
    ...inNs('b', up('ib')),
    ping('o', '10.0.0.3'),
    ...inNs('b', drop('ib')),
    ping('o', '10.0.0.3'),
    down('p'),
    ping('a', 'fd00::7'),
    up('p'),
    ping('a', 'fd00::9'),
    set('p', { mac: macOf(0x33) }),
    ping('a', 'fd00::9'),
    ping('o', 'fd00::2'),
    set('p', { mtu: 1300 }),
    ping('a', 'fd00::9', { size: 1300 }),
  ),
]
