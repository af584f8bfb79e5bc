// Macvlans and ipvlans: devices on one device, by MAC or by address. Source: tools/testing/selftests/net/{ipvtap_test,rtnetlink,
// macsec-offload,netns-name}.sh, Documentation/networking/ipvlan.rst, drivers/net/{macvlan.c,ipvlan}.

import { cable, host } from './networks.ts'
import { ask, ping, rawFrame, type Scenario } from './scenario.ts'

const SPACES = ['box', 'a', 'b', 'out']

/** The device below, eth0 of box, with eth1 of a and eth1 of b on it; out is at the other end of its cable. */
const shared = (made: string): string => `
  ${cable('box', 'eth0', 'out', 'eth0')}
  ${host('box', 'eth0', 1)}
  ${host('out', 'eth0', 9)}
  ${['a', 'b']
    .map(
      (name, i) => `
  ip -n box link add link eth0 name eth1 netns ${name} ${made}
  ip -n ${name} link set eth1 up
  ${host(name, 'eth1', i + 2)}`,
    )
    .join('\n')}`

const mac = (mode: string): string => shared(`type macvlan mode ${mode}`)
const macvlan = (title: string, mode: string, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'drivers/net/macvlan.c',
  spaces: SPACES,
  network: mac(mode),
  steps,
})

export const MACVLAN: ReadonlyArray<Scenario> = [
  macvlan('macvlans of mode bridge reach each other without leaving the host', 'bridge', [
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'answered', notAt: ['box eth0 out', 'out eth0 in'] } },
    { attempt: ping('a', 'fd00:1::3'), expect: { ends: 'answered' } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered', at: ['box eth0 out'] } },
    { attempt: ask('tcp', 'out', '10.0.1.3', 80, { listen: 'b' }), expect: { ends: 'answered' } },
  ]),
  macvlan('macvlans do not reach the device below, nor it them', 'bridge', [
    { attempt: ping('a', '10.0.1.1'), expect: { ends: 'silence' } },
    { attempt: ping('box', '10.0.1.3'), expect: { ends: 'silence' } },
  ]),
  macvlan('macvlans of mode private reach only who is outside', 'private', [
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'silence' } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered' } },
    { attempt: ping('out', '10.0.1.2'), expect: { ends: 'answered' } },
  ]),
  macvlan('macvlans of mode vepa reach each other by a switch that sends back', 'vepa', [
    {
      attempt: rawFrame('a', 'eth1', { src: '02:00:00:00:0a:01' }),
      expect: { at: ['out eth0 in'], notAt: ['b eth1 in'] },
    },
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'silence' } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered' } },
  ]),
  macvlan('the mode of a macvlan can be changed, but not to passthru', 'vepa', [
    { run: 'ip -n a link set eth1 type macvlan mode bridge' },
    { run: 'ip -n b link set eth1 type macvlan mode bridge' },
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'answered' } },
    { run: 'ip -n a link set eth1 type macvlan mode passthru', fails: 'EINVAL' },
  ]),
  {
    title: 'a macvlan of mode passthru has all that comes in, with the MAC of the device below',
    source: 'drivers/net/macvlan.c',
    spaces: ['box', 'a', 'out'],
    network: `
      ${cable('box', 'eth0', 'out', 'eth0')}
      ${host('out', 'eth0', 9)}
      ip -n box link add link eth0 name eth1 netns a type macvlan mode passthru
      ip -n a link set eth1 up
      ${host('a', 'eth1', 2)}`,
    steps: [
      { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered' } },
      {
        attempt: rawFrame('out', 'eth0', { src: '02:00:00:00:0a:01', dst: '02:00:00:00:0b:01' }),
        expect: { at: ['a eth1 in'] },
      },
      { run: 'ip -n box link add link eth0 name mb type macvlan mode bridge', fails: 'EINVAL' },
    ],
  },
]

const ipvlan = (title: string, mode: string, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'Documentation/networking/ipvlan.rst',
  needs: ['ipvlan'],
  spaces: SPACES,
  network: shared(`type ipvlan mode ${mode}`),
  steps,
})

/** Networks of their own, which the stack of box routes. */
const behind = (title: string, mode: string, steps: Scenario['steps']): Scenario => ({
  title,
  source: 'Documentation/networking/ipvlan.rst',
  needs: ['ipvlan'],
  spaces: SPACES,
  routers: ['box'],
  network: `
    ${cable('box', 'eth0', 'out', 'eth0')}
    ${host('box', 'eth0', 1)}
    ${host('out', 'eth0', 9, 1, 1)}
    ${['a', 'b']
      .map(
        (name, i) => `
    ip -n box link add link eth0 name eth1 netns ${name} type ipvlan mode ${mode}
    ip -n ${name} link set eth1 up
    ip -n ${name} addr add 10.0.${i + 2}.1/24 dev eth1
    ip -n ${name} route add default dev eth1`,
      )
      .join('\n')}`,
  steps,
})

export const IPVLAN: ReadonlyArray<Scenario> = [
  ipvlan('ipvlans of mode l2 reach each other and who is outside, with one MAC', 'l2', [
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'answered', notAt: ['out eth0 in'] } },
    { attempt: ping('a', 'fd00:1::3'), expect: { ends: 'answered' } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered', at: ['box eth0 out'] } },
    { attempt: ask('tcp', 'out', '10.0.1.3', 80, { listen: 'b' }), expect: { ends: 'answered' } },
  ]),
  ipvlan('ipvlans of mode l2 do not reach the device below', 'l2', [
    { attempt: ping('a', '10.0.1.1'), expect: { ends: 'silence' } },
    { attempt: ping('box', '10.0.1.2'), expect: { ends: 'silence' } },
  ]),
  ipvlan('a broadcast by an ipvlan of mode l2 reaches all', 'l2', [
    { attempt: rawFrame('a', 'eth1', { src: '02:00:00:00:0a:01' }), expect: { at: ['b eth1 in', 'out eth0 in'] } },
    { attempt: rawFrame('out', 'eth0', { src: '02:00:00:00:0a:01' }), expect: { at: ['a eth1 in', 'b eth1 in'] } },
  ]),
  ipvlan('private ipvlans reach only who is outside', 'l2 private', [
    { attempt: ping('out', '10.0.1.3'), expect: { ends: 'answered' } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered' } },
    { attempt: ask('udp', 'a', '10.0.1.3', 53, { listen: 'b' }), expect: { ends: 'silence', arrives: null } },
  ]),
  ipvlan('ipvlans of mode vepa leave everything to the switch outside', 'l2 vepa', [
    { attempt: ping('a', '10.0.1.3'), expect: { ends: 'silence', notAt: ['b eth1 in'] } },
    { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered' } },
  ]),
  ipvlan('no two ipvlans on one device have one address', 'l2', [
    { run: 'ip -n b addr add 10.0.1.2/24 dev eth1', fails: 'EADDRINUSE' },
    { run: 'ip -n a addr del 10.0.1.2/24 dev eth1' },
    { run: 'ip -n b addr add 10.0.1.2/24 dev eth1' },
    { attempt: ping('out', '10.0.1.2'), expect: { ends: 'answered', arrives: { ns: 'b' } } },
  ]),
  ...(['l3', 'l3s'] as const).map((mode) =>
    behind(`the stack below routes for ipvlans of mode ${mode}`, mode, [
      { attempt: ping('a', '10.0.3.1'), expect: { ends: 'answered', notAt: ['box eth0 out'] } },
      { attempt: ping('a', '10.0.1.9'), expect: { ends: 'answered', at: ['box eth0 out'] } },
      { attempt: ping('out', '10.0.2.1'), expect: { ends: 'answered', ttl: 64 } },
      { attempt: ask('tcp', 'out', '10.0.3.1', 80, { listen: 'b' }), expect: { ends: 'answered' } },
    ]),
  ),
  behind('ipvlans of mode l3 have no broadcasts', 'l3', [
    {
      attempt: rawFrame('out', 'eth0', { src: '02:00:00:00:0a:01' }),
      expect: { at: ['box eth0 in'], notAt: ['a eth1 in', 'b eth1 in'] },
    },
    {
      attempt: rawFrame('a', 'eth1', { src: '02:00:00:00:0a:01' }),
      expect: { ends: { errno: 'ENOBUFS' }, notAt: ['box eth0 out', 'b eth1 in'] },
    },
  ]),
]
