// A feature that is off leaves no trace on the host.

import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { bridgeOptions, modeOf } from '../src/drivers/bridge/options.ts'
import { type KernelObject, keyOf } from '../src/kernel/object.ts'
import { objectsOf } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsOn } from '../src/model/queries.ts'
import type { Network } from '../src/model/types.ts'
import { type Cidr, cidrFamily, showCidr } from '../src/net/cidr.ts'
import { isIp4, isIp6, showIp } from '../src/net/ip.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { program } from './arbitraries/commands.ts'
import { coreAfter } from './lib/states.ts'

/** The same without any IPv6: networks that had nothing else are left out. */
const withoutIPv6 = (commands: ReadonlyArray<Command>): ReadonlyArray<Command> =>
  commands.flatMap((command): ReadonlyArray<Command> => {
    if (command.tag === 'CreateEndpoint')
      return [{ ...command, ipv6: null, linkLocal: (command.linkLocal ?? []).filter(isIp4), sysctls: {} }]
    if (command.tag !== 'CreateNetwork') return [command]
    const pools = command.pools.filter(({ family }) => family === 4)
    return pools.length === 0 ? [] : [{ ...command, pools }]
  })

const isOfIPv6 = (object: KernelObject): boolean => {
  switch (object.kind) {
    case 'address':
      return isIp6(object.cidr.ip)
    case 'route':
      return cidrFamily(object.to) === 6
    case 'sysctl':
      // A bridge that has no IPv6 yet still believes no router's advertisement (CVE-2020-13401); an isolated one has none for good.
      return (
        object.name.startsWith('net.ipv6.') &&
        !object.name.endsWith('.accept_ra') &&
        !(object.name.endsWith('.disable_ipv6') && object.value === '1')
      )
    case 'nft-element':
      return /6(_any)?$/.test(object.set)
    default:
      return false
  }
}

const elements = (objects: ReadonlyArray<KernelObject>, set: RegExp): ReadonlyArray<string> =>
  objects.flatMap((object) => (object.kind === 'nft-element' && set.test(object.set) ? [object.key.join(' . ')] : []))

describe('what is off has no effect', () => {
  test.prop([program])('without networks of IPv6, nothing of IPv6 is asked of the host (P25)', (commands) => {
    const { wanted } = coreAfter(withoutIPv6(commands))
    expect(objectsOf(wanted.state).filter(isOfIPv6).map(keyOf)).toEqual([])
  })

  test.prop([program])('exactly the subnets of networks with masquerading have an element for it (P25)', (commands) => {
    const { model, wanted } = coreAfter(commands)
    const isTranslated = (network: Network, subnet: Cidr): boolean => {
      const options = bridgeOptions(network.config)
      return options.masquerade && modeOf(options, cidrFamily(subnet)).startsWith('nat')
    }
    const subnets = valuesOf(model.networks)
      .filter(({ driver, internal }) => driver === 'bridge' && !internal)
      .flatMap((network) => network.pools.filter(({ subnet }) => isTranslated(network, subnet)))
      .map(({ subnet }) => showCidr(subnet))
    expect([...elements(objectsOf(wanted.state), /^(masquerade|snat)/)].sort()).toEqual([...subnets].sort())
  })

  test.prop([program])(
    'an internal network translates nothing: it has no gateway, port or masquerading (P25)',
    (commands) => {
      const { model, wanted } = coreAfter(commands)
      const objects = objectsOf(wanted.state)
      for (const { id, pools } of valuesOf(model.networks).filter(({ internal }) => internal)) {
        const subnets = pools.map(({ subnet }) => showCidr(subnet))
        expect(elements(objects, /^masquerade/).filter((key) => subnets.includes(key))).toEqual([])
        const addresses = endpointsOn(model, id).flatMap((each) => each.addresses.map(({ cidr }) => showIp(cidr.ip)))
        const gateways = pools.flatMap(({ gateway }) => (gateway === null ? [] : [gateway]))
        for (const object of objects) {
          if (object.kind === 'nft-element' && object.value !== null) expect(addresses).not.toContain(object.value[0])
          if (object.kind === 'route' && object.via !== null) expect(gateways).not.toContain(object.via)
        }
      }
    },
  )

  test.prop([program])('without networks, the host itself is left as it is (P25)', (commands) => {
    const { wanted } = coreAfter(commands.filter(({ tag }) => tag !== 'CreateNetwork'))
    expect(
      objectsOf(wanted.state)
        .filter(({ ns }) => ns === 'host')
        .map(keyOf),
    ).toEqual([])
  })
})
