// The bridge driver's options, with Docker's labels (`com.docker.network.bridge.*`) and short names.

import type { DriverConfig } from '../../model/types.ts'
import { parseNewIfName } from '../../net/name.ts'
import { isConfigOf, type OptionSpec, readBoolean, readNumber, readOptions, readText } from '../options.ts'

const DOCKER = 'com.docker.network'

const SPECS: Readonly<Record<keyof BridgeOptions, OptionSpec>> = {
  name: {
    names: [`${DOCKER}.bridge.name`, 'name'],
    otherwise: null,
    read: readText(parseNewIfName, 'an interface name of at most 15 letters, digits, "_", "-" or "."'),
  },
  icc: { names: [`${DOCKER}.bridge.enable_icc`, 'icc'], otherwise: true, read: readBoolean },
  masquerade: {
    names: [`${DOCKER}.bridge.enable_ip_masquerade`, 'masquerade'],
    otherwise: true,
    read: readBoolean,
  },
  mtu: { names: [`${DOCKER}.driver.mtu`, 'mtu'], otherwise: 1500, read: readNumber(68, 65535) },
}

export type BridgeOptions = Readonly<{
  /** The bridge's name; null derives one from the network's id. */
  name: string | null
  /** Whether containers of the network may talk to each other. */
  icc: boolean
  /** Whether what leaves carries an address of the host. */
  masquerade: boolean
  /** Bytes, of the bridge and of every endpoint's link. */
  mtu: number
}>

export const configureBridge = readOptions('bridge', SPECS)
export const isBridgeConfig = isConfigOf(SPECS)

/** A cast: the config was made by `configureBridge`, whose readers give these types. */
export const bridgeOptions = (config: DriverConfig): BridgeOptions => config as BridgeOptions
