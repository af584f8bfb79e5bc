// What there cannot be of bridge networks, and what leads out of one. Source: libnetwork's drivers/bridge (validate, conflictsWith).

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import type { DriverRules } from '../../model/rules.ts'
import { cidrFamily } from '../../net/cidr.ts'
import type { Family } from '../../net/ip.ts'
import { exitByGateway } from '../plain.ts'
import { bridgeOptions, modeOf } from './options.ts'

/** Under this name, among the auxiliary addresses, is a gateway that is not the bridge. */
const gatewayName = (family: Family): string => `DefaultGatewayIPv${family}`

export const objection: DriverRules['objection'] = ({ network, config, internal, asked }) => {
  const options = bridgeOptions(config)
  const { mtu } = options
  if (asked.some(({ family }) => family === 6) && mtu < MIN_MTU6)
    return { tag: 'MtuTooSmall', network, mtu, least: MIN_MTU6 }
  if (!internal)
    return options.mode4 === 'isolated' || options.mode6 === 'isolated' ? { tag: 'IsolatedNotInternal', network } : null
  for (const { family, aux } of asked) {
    const gateway = aux[gatewayName(family)]
    if (gateway !== undefined) return { tag: 'GatewayOfInternal', network, gateway }
  }
  return null
}

export const conflict: DriverRules['conflict'] = ({ network, config }, other) => {
  const { name } = bridgeOptions(config)
  return name !== null && name === bridgeOptions(other.config).name
    ? { tag: 'SameBridge', network, bridge: name, by: other.network }
    : null
}

export const gateway: DriverRules['gateway'] = (config, family) =>
  modeOf(bridgeOptions(config), family) === 'isolated' ? 'never' : 'always'

export const exit: DriverRules['exit'] = (_, pool) => {
  const via = pool.aux[gatewayName(cidrFamily(pool.subnet))]
  return via === undefined ? exitByGateway(pool) : { by: 'gateway', via }
}

export const prefix: DriverRules['prefix'] = (config) => bridgeOptions(config).prefix
