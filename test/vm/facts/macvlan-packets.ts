// Packets by macvlans: which of them reach each other and the device below, in each mode. A part that most kernels have.

import type { MacvlanMode } from '../../../src/kernel/rtnl/kind.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import { cable, LOOPBACK, owns, sendFrame, to } from './network.ts'
import { dev, drop, inNs, macOf, type Story, set, story, up } from './story.ts'

const macvlanIn = (name: string, n: number, mode: MacvlanMode) => [
  {
    on: 'link' as const,
    do: 'add' as const,
    name: dev(`m${name}`),
    dev: dev('p'),
    to: to(name),
    mac: macOf(n),
    kind: { kind: 'macvlan' as const, mode },
  },
  ...inNs(name, LOOPBACK, up(`m${name}`), ...owns(`m${name}`, `10.0.0.${n}/24`, `fd00::${n}/64`)),
]

/** p of h with a macvlan for each of a and b; o is outside. */
const shared = (of: MacvlanMode, other: MacvlanMode = of) => [
  LOOPBACK,
  ...inNs('o', LOOPBACK),
  ...cable('h', 'p', 'o', 'q', 0x10),
  ...owns('p', '10.0.0.1/24', 'fd00::1/64'),
  ...inNs('o', ...owns('q', '10.0.0.9/24', 'fd00::9/64')),
  ...macvlanIn('a', 2, of),
  ...macvlanIn('b', 3, other),
]

const EVERYBODY = [
  ping('a', '10.0.0.3'),
  ping('a', 'fd00::3'),
  ping('a', '10.0.0.1'),
  ping('h', '10.0.0.2'),
  ping('a', '10.0.0.9'),
  ping('o', '10.0.0.3'),
  ping('o', 'fd00::3'),
  ask('tcp', 'b', '10.0.0.9', 80, { listen: 'o' }, { size: 10 }),
  ask('udp', 'o', '10.0.0.2', 53),
  sendFrame('o', 'q', { src: 0x11 }),
  sendFrame('o', 'q', { src: 0x11, dst: 2 }),
  sendFrame('o', 'q', { src: 2, dst: 3 }),
  sendFrame('o', 'q', { src: 2 }),
  sendFrame('a', 'ma', { src: 2 }),
  sendFrame('a', 'ma', { src: 2, dst: 3 }),
  sendFrame('a', 'ma', { src: 2, dst: 0x10 }),
  sendFrame('a', 'ma', { src: 0x99, dst: 0x11 }),
]

const inMode = (mode: MacvlanMode): Story => story(`packets by macvlans of mode ${mode}`, shared(mode), ...EVERYBODY)

export const MACVLAN_PACKETS: ReadonlyArray<Story> = [
  inMode('bridge'),
  inMode('private'),
  inMode('vepa'),
  story('packets by macvlans of modes bridge and vepa', shared('bridge', 'vepa'), ...EVERYBODY),
  story('packets by macvlans of modes private and bridge', shared('private', 'bridge'), ...EVERYBODY),
  story(
    'packets by a macvlan of mode passthru',
    [
      LOOPBACK,
      ...inNs('o', LOOPBACK),
      ...cable('h', 'p', 'o', 'q', 0x10),
      ...inNs('o', ...owns('q', '10.0.0.9/24', 'fd00::9/64')),
      ...macvlanIn('a', 2, 'passthru'),
    ],
    ping('a', '10.0.0.9'),
    ping('o', 'fd00::2'),
    sendFrame('o', 'q', { src: 0x11, dst: 0x99 }),
    sendFrame('o', 'q', { src: 0x11 }),
    ...inNs('a', set('ma', { mac: macOf(0x66) })),
    ping('o', '10.0.0.2'),
    ...inNs('a', drop('ma')),
    sendFrame('o', 'q', { src: 0x11, dst: 0x10 }),
  ),
]
