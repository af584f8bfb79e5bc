// The bridge driver's options, with Docker's labels (`com.docker.network.bridge.*`) and short names.

import type { CnmError } from '../../model/error.ts'
import type { DriverConfig, Texts } from '../../model/types.ts'
import type { HostDevice } from '../../net/host-facts.ts'
import { type Family, familyOf, type Ip, ip, isMulticast, isUnspecified, parseIp, showIp } from '../../net/ip.ts'
import { type IfName, ifName, parseIfName, parseNewIfName } from '../../net/name.ts'
import { E, type Either, traverse } from '../../prelude.ts'
import {
  defaultsOf,
  isConfigOf,
  type OptionSpec,
  readBoolean,
  readNumber,
  readOneOf,
  readOptions,
  readText,
} from '../options.ts'

const MODES = ['nat', 'nat-unprotected', 'routed', 'isolated'] as const
/**
 * Who reaches the containers from outside, and as whom they leave. `nat`: published ports at addresses of the host; `nat-unprotected`:
 * everything; `routed`: published ports at the container's own address, and no translation; `isolated`: the host is not there either.
 */
export type GatewayMode = (typeof MODES)[number]
/** Docker's word for `nat` is none at all. */
const readMode: OptionSpec['read'] = (text) => readOneOf(MODES)(text === '' ? 'nat' : text)

export type BridgeOptions = Readonly<{
  /** The bridge's name; null derives one from the network's id. */
  name: string | null
  /** Whether containers of the network may talk to each other. */
  icc: boolean
  /** Whether what leaves carries an address of the host. */
  masquerade: boolean
  /** Bytes, of the bridge and of every endpoint's link. */
  mtu: number
  mode4: GatewayMode
  mode6: GatewayMode
  /** Whether the host goes without an IPv4 address on the bridge. */
  inhibit4: boolean
  /** Where ports are published that name no address of the host; null: at every one, of both families. */
  binding4: string | null
  /** Which address of the host it is that what leaves carries; null: that of the interface it leaves by. */
  snat4: string | null
  snat6: string | null
  /** What interfaces are called inside, before their number. */
  prefix: string
  /** Interfaces of the host, with colons between them: what comes in by them reaches published ports at the container's address. */
  trusted: string
  /** Whether it is the one that Docker calls the default bridge. */
  defaultBridge: boolean
  /** Whether somebody else made the bridge, and keeps it: we only put containers on it. */
  foreign: boolean
}>

const DOCKER = 'com.docker.network'
const BRIDGE = `${DOCKER}.bridge`

/** Docker's default bridge. */
const DOCKER0 = ifName('docker0')

/** So that four digits fit behind it. */
const LONGEST_PREFIX = 11

const readPrefix = readText(
  (text) => (text.length > LONGEST_PREFIX ? E.left(null) : text === '' ? E.right('eth') : parseIfName(text)),
  `the beginning of an interface name, at most ${LONGEST_PREFIX} letters, digits, "_", "-" or "."`,
)

const readAddress = (family: Family, isFit: (ip: Ip) => boolean, expected: string): OptionSpec['read'] =>
  readText((text) => {
    const ip = parseIp(text)
    return E.isRight(ip) && familyOf(ip.right) === family && isFit(ip.right) ? E.right(showIp(ip.right)) : E.left(null)
  }, expected)

const canBeSource = (ip: Ip): boolean => !isUnspecified(ip) && !isMulticast(ip)
const canBeBound = (ip: Ip): boolean => !isMulticast(ip)

const readInterfaces = readText(
  (text) => E.map((names: ReadonlyArray<IfName>) => names.join(':'))(interfacesOf(text)),
  'names of interfaces with colons between them',
)

const interfacesOf = (text: string): Either<string, ReadonlyArray<IfName>> =>
  E.map((names: ReadonlyArray<IfName>) => [...new Set(names)])(
    traverse(text === '' ? [] : text.split(':'), parseIfName),
  )

const mode = (family: Family): OptionSpec => ({
  names: [`${BRIDGE}.gateway_mode_ipv${family}`, `gateway_mode_ipv${family}`],
  otherwise: 'nat',
  read: readMode,
  about: `who gets in, and as whom containers leave, by IPv${family}: nat (published ports, with the address of the host), nat-unprotected (every port), routed (published ports at the container, with its own address), isolated (the host has no address there; for internal networks)`,
})

const snat = (family: Family): OptionSpec => ({
  names: [`${DOCKER}.host_ipv${family}`, `host_ipv${family}`],
  otherwise: null,
  read: readAddress(family, canBeSource, `an IPv${family} address of the host`),
  about: 'the address of the host with which containers leave, instead of that of the interface they leave by',
})

export const BRIDGE_OPTIONS: Readonly<Record<keyof BridgeOptions, OptionSpec>> = {
  name: {
    names: [`${BRIDGE}.name`, 'name'],
    otherwise: null,
    read: readText(parseNewIfName, 'an interface name of at most 15 letters, digits, "_", "-" or "."'),
    about: 'what the bridge is called; one that is there already is used as it is, and stays',
  },
  icc: {
    names: [`${BRIDGE}.enable_icc`, 'icc'],
    otherwise: true,
    read: readBoolean,
    about: 'whether containers of the network may talk to each other',
  },
  masquerade: {
    names: [`${BRIDGE}.enable_ip_masquerade`, 'masquerade'],
    otherwise: true,
    read: readBoolean,
    about: 'whether containers leave with an address of the host',
  },
  mtu: {
    names: [`${DOCKER}.driver.mtu`, 'mtu'],
    otherwise: 1500,
    read: readNumber(68, 65535),
    about: 'bytes, of the bridge and of every interface',
  },
  mode4: mode(4),
  mode6: mode(6),
  inhibit4: {
    names: [`${BRIDGE}.inhibit_ipv4`, 'inhibit_ipv4'],
    otherwise: false,
    read: readBoolean,
    about: 'whether the host goes without an IPv4 address on the bridge: the gateway is then somebody else',
  },
  binding4: {
    names: [`${BRIDGE}.host_binding_ipv4`, 'host_binding_ipv4'],
    otherwise: null,
    read: readAddress(4, canBeBound, 'an IPv4 address of the host'),
    about: 'the address of the host at which ports are published that name none',
  },
  snat4: snat(4),
  snat6: snat(6),
  prefix: {
    names: [`${DOCKER}.container_iface_prefix`, 'container_iface_prefix'],
    otherwise: 'eth',
    read: readPrefix,
    about: 'what interfaces are called inside, before their number',
  },
  trusted: {
    names: [`${BRIDGE}.trusted_host_interfaces`, 'trusted_host_interfaces'],
    otherwise: '',
    read: readInterfaces,
    about:
      'interfaces of the host, with colons between: what comes in by them reaches published ports at the container itself',
  },
  defaultBridge: {
    names: [`${BRIDGE}.default_bridge`, 'default_bridge'],
    otherwise: false,
    read: readBoolean,
    about: 'whether it is what Docker calls the default bridge, docker0',
  },
  foreign: { names: [], otherwise: false, read: readBoolean, about: 'whether somebody else made the bridge' },
}

const read = readOptions('bridge', BRIDGE_OPTIONS)
export const isBridgeConfig = isConfigOf(BRIDGE_OPTIONS)

const DEFAULTS = defaultsOf(BRIDGE_OPTIONS)

/** Casts: the config was made by `configureBridge`, whose readers give these types. A former version did not know all of them. */
export const bridgeOptions = (config: DriverConfig): BridgeOptions => ({ ...DEFAULTS, ...config }) as BridgeOptions

export const modeOf = ({ mode4, mode6 }: BridgeOptions, family: Family): GatewayMode => (family === 4 ? mode4 : mode6)
export const snatOf = ({ snat4, snat6 }: BridgeOptions, family: Family): Ip | null => {
  const source = family === 4 ? snat4 : snat6
  return source === null ? null : ip(source)
}
export const trustedOf = ({ trusted }: BridgeOptions): ReadonlyArray<IfName> =>
  trusted === '' ? [] : trusted.split(':').map(ifName)

/** What the bridge is called that the user speaks of; null: whatever we like. */
const namedBridge = ({ name, defaultBridge }: BridgeOptions): IfName | null =>
  name !== null ? ifName(name) : defaultBridge ? DOCKER0 : null

/** The bridge that such a network would be on, which may be there already. */
export const bridgeDevices = (options: Texts): ReadonlyArray<IfName> => {
  const config = read(options)
  const bridge = E.isLeft(config) ? null : namedBridge(bridgeOptions(config.right))
  return bridge === null ? [] : [bridge]
}

/** libnetwork's rules: a bridge that is there is used as it is; a default bridge of another name than docker0 is not made. */
export const configureBridge = (
  options: Texts,
  devices: ReadonlyArray<HostDevice> | null,
): Either<CnmError, DriverConfig> => {
  const config = read(options)
  if (E.isLeft(config)) return config
  const asked = bridgeOptions(config.right)
  const bridge = namedBridge(asked)
  const there = devices?.find(({ name }) => name === bridge)
  if (there !== undefined && there.type !== 'bridge')
    return E.left({ tag: 'NotABridge', device: there.name, type: there.type })
  const foreign = there !== undefined && !there.ours
  if (asked.defaultBridge && bridge !== null && bridge !== DOCKER0 && !foreign)
    return E.left({ tag: 'DefaultBridgeMissing', bridge })
  return E.right({ ...config.right, name: bridge, foreign })
}
