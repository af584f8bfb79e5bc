// Drivers whose endpoints are devices on one of the host's, the parent: a card, somebody's bridge or VLAN. A parent NAME.VLAN that is not
// there is an 802.1Q device of ours, wanted by all networks on it; without a parent a network is internal, on a dummy of its own.
// Rules as libnetwork's (drivers/macvlan, drivers/ipvlan).

import { hasOwnMac, type Link, PLAIN_MTU, type Place, type StackedSpec } from '../kernel/object.ts'
import { aliasFor } from '../kernel/owned.ts'
import type { Fragment } from '../kernel/state.ts'
import type { CnmError } from '../model/error.ts'
import type { DriverRules } from '../model/rules.ts'
import type { DriverConfig, Network, NetworkId, Texts } from '../model/types.ts'
import type { HostDevice } from '../net/host-facts.ts'
import { ZERO_MAC } from '../net/mac.ts'
import { HOST, type IfName, ifName, LO, parseIfName } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import type { EndpointView } from './driver.ts'
import { insideOf } from './inside.ts'
import { dummyMac, dummyName, endpointAlias, networkAlias } from './names.ts'
import { isConfigOf, type OptionSpec, type OptionSpecs, readOptions } from './options.ts'
import { PLAIN } from './plain.ts'

/** `parent` null: none was given. `ownsParent`: it is a VLAN on another device, and ours. */
export type ParentOptions = Readonly<{ parent: string | null; ownsParent: boolean }>

const PARENT = 'parent'

const readParent: OptionSpec['read'] = (text) =>
  text === '' ? E.right(null) : E.mapLeft(() => 'the name of a device of the host')(parseIfName(text))

const SPEC: OptionSpec = {
  names: [PARENT],
  otherwise: null,
  read: readParent,
  about:
    'the device of the host that containers are on; NAME.VLAN is a VLAN on NAME (802.1Q), which is made if it is not there; without one the network is internal',
}

type Vlan = Readonly<{ below: IfName; id: number }>

const VLAN = /^(.+)\.(0|[1-9][0-9]*)$/
const MAX_VLAN = 4094

/** Left: what was expected. */
const vlanOf = (parent: string): Either<string, Vlan> => {
  const [, name = '', digits = ''] = VLAN.exec(parent) ?? []
  const below = parseIfName(name)
  if (E.isLeft(below)) return E.left('a device of the host, or a VLAN on one, such as eth0.10')
  const id = Number(digits)
  return id < 1 || id > MAX_VLAN ? E.left(`a VLAN from 1 to ${MAX_VLAN}`) : E.right({ below: below.right, id })
}

/** The device that is named, and the one that a VLAN of this name would be on. */
const devices = (options: Texts): ReadonlyArray<IfName> => {
  const named = parseIfName(options[PARENT] ?? '')
  if (E.isLeft(named)) return []
  const vlan = vlanOf(named.right)
  return E.isLeft(vlan) ? [named.right] : [named.right, vlan.right.below]
}

/** What is put on one of these is on the device below it. */
const SEE_THROUGH: ReadonlySet<string | null> = new Set(['macvlan', 'macvtap', 'ipvlan', 'ipvtap'])

/** Why a device that is there cannot be a parent: what is expected instead. */
const objectionTo = ({ type, ours }: HostDevice): string | null => {
  if (type === 'loopback') return 'a device other than loopback'
  if (SEE_THROUGH.has(type)) return `a device that is no ${type} itself`
  return ours ? 'a device that is not made by cnm for something else' : null
}

const isOurVlan = (device: HostDevice): boolean => device.ours && device.type === 'vlan'

/** Whether the parent is a VLAN that is to be made, or was made so. Left: what was expected. */
const owns = (parent: IfName, there: ReadonlyArray<HostDevice>): Either<string, boolean> => {
  const found = there.find(({ name }) => name === parent)
  if (found !== undefined && !isOurVlan(found)) {
    const wrong = objectionTo(found)
    return wrong === null ? E.right(false) : E.left(wrong)
  }
  const vlan = vlanOf(parent)
  if (E.isLeft(vlan)) return vlan
  const below = there.find(({ name }) => name === vlan.right.below)
  if (below === undefined) return E.left(`a device of the host, or a VLAN on one, and there is no ${vlan.right.below}`)
  const wrong = objectionTo(below)
  return wrong === null ? E.right(true) : E.left(`a VLAN on ${wrong}`)
}

const configure =
  (driver: string, specs: OptionSpecs): DriverRules['configure'] =>
  (options, there) =>
    E.chain((config: DriverConfig): Either<CnmError, DriverConfig> => {
      const { [PARENT]: value } = config
      if (typeof value !== 'string') return E.right({ ...config, ownsParent: false })
      const parent = ifName(value)
      const owned = owns(parent, there ?? [{ name: parent, type: parent === LO ? 'loopback' : null, ours: false }])
      return E.isLeft(owned)
        ? E.left({ tag: 'BadOption', driver, option: PARENT, value, expected: owned.left })
        : E.right({ ...config, ownsParent: owned.right })
    })(readOptions(driver, specs)(options))

const accepts =
  (specs: OptionSpecs): DriverRules['accepts'] =>
  ({ ownsParent, ...config }) =>
    isConfigOf(specs)(config) &&
    typeof ownsParent === 'boolean' &&
    (!ownsParent || (typeof config[PARENT] === 'string' && E.isRight(vlanOf(config[PARENT]))))

/** A cast: the config was made by `configure`. */
const optionsOf = (config: DriverConfig): ParentOptions => config as ParentOptions

const parentIn = (config: DriverConfig): IfName | null => {
  const { parent } = optionsOf(config)
  return parent === null ? null : ifName(parent)
}

/** The rules of such a driver, `specs` being its options beside the parent. */
export const onParent = (
  type: string,
  specs: OptionSpecs,
): Omit<typeof PLAIN, 'conflict'> & Readonly<{ type: string; options: OptionSpecs }> => {
  const all = { [PARENT]: SPEC, ...specs }
  return {
    ...PLAIN,
    type,
    options: all,
    severalSubnets: true,
    devices,
    configure: configure(type, all),
    accepts: accepts(all),
    internal: (config) => parentIn(config) === null,
    below: parentIn,
    gateway: () => 'asked',
    exit: (_, { gateway }) => (gateway === null ? { by: 'nothing' } : { by: 'gateway', via: gateway }),
  }
}

/** What networks on one VLAN want is the same, whatever they are called. */
const vlanAlias = (name: IfName): string => aliasFor(`parent/${name}`)

const vlanLink = (name: IfName, { below, id }: Vlan): Link => ({
  kind: 'link',
  ns: HOST,
  name,
  spec: { type: 'vlan', below: { ns: HOST, name: below }, id },
  mac: ZERO_MAC,
  mtu: 0,
  up: true,
  alias: vlanAlias(name),
})

type Prefix = 'dm' | 'di'

const dummyLink = (prefix: Prefix, id: NetworkId): Link => ({
  kind: 'link',
  ns: HOST,
  name: dummyName(prefix, id),
  spec: { type: 'dummy' },
  mac: dummyMac(id),
  mtu: PLAIN_MTU,
  up: true,
  alias: networkAlias(id),
})

/** What a network has of its own: the parent, if that is ours. `prefix`: of its dummy. */
export const parentFragment = (prefix: Prefix, { id, config }: Network): Fragment => {
  const { parent, ownsParent } = optionsOf(config)
  if (parent === null) return [dummyLink(prefix, id)]
  const vlan = ownsParent ? vlanOf(parent) : null
  return vlan === null || E.isLeft(vlan) ? [] : [vlanLink(ifName(parent), vlan.right)]
}

/** The device that the network's endpoints are on. */
export const parentPlace = (prefix: Prefix, { id, config }: Network): Place => ({
  ns: HOST,
  name: parentIn(config) ?? dummyName(prefix, id),
})

/**
 * An interface that comes to be inside, on the parent; without an MTU of its own it has the parent's. Published ports are not its
 * business: others reach it by its own addresses, past the host.
 */
export const endpointFragment = (view: EndpointView, spec: StackedSpec): Fragment => {
  const { id, mac, attachment } = view.endpoint
  const link: Link = {
    kind: 'link',
    ns: view.sandbox.ns,
    name: attachment.ifName,
    spec,
    mac: hasOwnMac(spec) ? mac : ZERO_MAC,
    mtu: 0,
    up: true,
    alias: endpointAlias(id),
  }
  return [link, ...insideOf(view.endpoint, link)]
}
