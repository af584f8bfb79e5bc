// Drivers and what they are told: mostly what can be.

import fc from 'fast-check'
import { UPLINK as CARD } from '../../src/lab/world.ts'
import { given, seldom } from './given.ts'

const options: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.constantFrom({ icc: 'false' }, { masquerade: 'false' }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ mtu: '1400' }, { mtu: '1000' }, { mtu: 'x' }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      { gateway_mode_ipv4: 'routed' },
      { gateway_mode_ipv4: 'routed', gateway_mode_ipv6: 'routed' },
      { gateway_mode_ipv4: 'nat-unprotected', gateway_mode_ipv6: 'nat-unprotected' },
      { gateway_mode_ipv6: 'isolated' },
      { gateway_mode_ipv4: 'isolated', gateway_mode_ipv6: 'isolated' },
      { inhibit_ipv4: 'true' },
      { host_binding_ipv4: '203.0.113.2' },
      { host_ipv4: '203.0.113.2', host_ipv6: '2001:db8::2' },
      { trusted_host_interfaces: 'uplink0' },
      { container_iface_prefix: 'net' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { name: 'docker0' },
      { name: 'shared0' },
      { default_bridge: 'true' },
      { default_bridge: 'true', name: 'shared0' },
    ),
  },
)

/** On the card that each host has, on a VLAN of it, on nothing; on what cannot be. */
const onWire: fc.Arbitrary<Readonly<Record<string, string>>> = fc
  .record({
    parent: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom(undefined, CARD, `${CARD}.10`) },
      { weight: 1, arbitrary: fc.constantFrom('lo', 'gone0', `${CARD}.4095`, '') },
    ),
    mode: seldom('private', 'passthru', 'l3', 'l3s'),
    flag: seldom('private', 'vepa'),
  })
  .map(given)

/** What each driver is told. */
export const anyKind: fc.Arbitrary<Readonly<{ driver: string; options: Readonly<Record<string, string>> }>> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ driver: fc.constant('bridge'), options }) },
  { weight: 3, arbitrary: fc.record({ driver: fc.constantFrom('null', 'host', 'nope'), options }) },
  { weight: 3, arbitrary: fc.record({ driver: fc.constantFrom('macvlan', 'ipvlan'), options: onWire }) },
)

export const workingKind: typeof anyKind = fc.oneof(
  { weight: 5, arbitrary: fc.record({ driver: fc.constant('bridge'), options }) },
  {
    weight: 1,
    arbitrary: fc.record({
      driver: fc.constant('macvlan'),
      options: fc.constantFrom(
        {},
        { parent: CARD },
        { parent: `${CARD}.10` },
        { parent: CARD, mode: 'private' },
        { mode: 'passthru' },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      driver: fc.constant('ipvlan'),
      options: fc.constantFrom({}, { parent: CARD }, { parent: `${CARD}.20`, mode: 'l3' }, { flag: 'private' }),
    }),
  },
)
