// Sysctls: the defaults of those never written, what a write spreads to, and what a new device inherits.
// Sources: Documentation/networking/ip-sysctl.rst, net/ipv4/devinet.c (devinet_conf_ifindex, inet_forward_change),
// net/ipv6/addrconf.c (addrconf_forward_change, addrconf_disable_change), kernel/sysctl.c (proc_dointvec).

import { type DeviceKey, FORWARD4, ICMP_LIMIT4, ICMP_LIMIT6, type SysctlName } from '../../kernel/sysctl.ts'
import type { Family } from '../../net/ip.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { entriesUnder, getIn, removeIn, setIn, valuesOf } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, World } from '../state.ts'
import { runs4, runs6, start6, stop6 } from './inet.ts'
import { done, nsOf, putLink, putNs, type Result, refuse, withNs } from './world.ts'

/** A fresh namespace's values; those of IPv4 may come from the machine instead (net.core.devconf_inherit_init_net). */
const DEFAULTS: Readonly<Record<Family, Readonly<Partial<Record<DeviceKey, string>>>>> = {
  4: { route_localnet: '0', forwarding: '0', rp_filter: '0', proxy_arp: '0' },
  6: { disable_ipv6: '0', accept_ra: '1', forwarding: '0' },
}

/** Sysctls of a whole namespace that are only numbers here: what they govern is not modelled. */
const NUMBERS: ReadonlyMap<SysctlName, string> = new Map([
  [ICMP_LIMIT4, '1000'],
  [ICMP_LIMIT6, '100'],
])

/** `dev` is `all`, `default` or a device. */
type Parsed = Readonly<{ family: Family; dev: string; key: DeviceKey }>

const DEVICE = /^net\.ipv([46])\.conf\.([^.]+)\.([a-z0-9_]+)$/

const isKey = (family: Family, key: string): key is DeviceKey => Object.hasOwn(DEFAULTS[family], key)

const parse = (name: SysctlName): Parsed | null => {
  if (name === FORWARD4) return { family: 4, dev: 'all', key: 'forwarding' }
  const [, digit, dev, key] = DEVICE.exec(name) ?? []
  if (digit === undefined || dev === undefined || key === undefined) return null
  const family = digit === '4' ? 4 : 6
  return isKey(family, key) ? { family, dev: dev.replaceAll('/', '.'), key } : null
}

/** `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding` are one variable, kept under the first name. */
const nameOf = ({ family, dev, key }: Parsed): SysctlName =>
  family === 4 && dev === 'all' && key === 'forwarding'
    ? FORWARD4
    : // A name made of a device's name and a key of the table above is a sysctl's.
      (`net.ipv${family}.conf.${dev.replaceAll('.', '/')}.${key}` as SysctlName)

const exists = (space: NsEntry, { family, dev }: Parsed): boolean => {
  if (RESERVED.has(dev)) return true
  const link = getIn(space.links, dev)
  return link !== undefined && (family === 4 ? runs4(link) : runs6(link))
}

/** Device names that would hide a directory of `conf`; the kernel refuses them. */
const RESERVED: ReadonlySet<string> = new Set(['all', 'default'])
export const isReserved = (name: IfName): boolean => RESERVED.has(name)

/** The kernel's default, or null if there is no such sysctl. */
export const sysctlDefault = (name: SysctlName): string | null => {
  const parsed = parse(name)
  return parsed === null ? (NUMBERS.get(name) ?? null) : (DEFAULTS[parsed.family][parsed.key] ?? null)
}

/** Its value, or null if the namespace has no such sysctl. */
export const readSysctl = (space: NsEntry, name: SysctlName): string | null => {
  const parsed = parse(name)
  const number = NUMBERS.get(name)
  if (number !== undefined) return getIn(space.sysctls, name) ?? number
  if (parsed === null || !exists(space, parsed)) return null
  return getIn(space.sysctls, nameOf(parsed)) ?? DEFAULTS[parsed.family][parsed.key] ?? null
}

const INTEGER = /^\s*(-?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)\s*$/i

/** As proc_dointvec reads it: decimal, octal or hexadecimal, 32 bits with a sign. */
const integer = (text: string): number | null => {
  const [, sign, digits] = INTEGER.exec(text) ?? []
  if (digits === undefined) return null
  const octal = /^0[0-7]/.test(digits)
  const n = (sign === '-' ? -1 : 1) * Number.parseInt(digits, octal ? 8 : digits.startsWith('0') ? 16 : 10)
  const value = digits === '0' ? 0 : n
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : null
}

const put = (space: NsEntry, parsed: Parsed, value: string): NsEntry => ({
  ...space,
  sysctls: setIn(space.sysctls, nameOf(parsed), value),
})

const devices = (space: NsEntry, family: Family): ReadonlyArray<LinkEntry> =>
  valuesOf(space.links).filter(family === 4 ? runs4 : runs6)

const putAll = (space: NsEntry, { family, key }: Parsed, devs: ReadonlyArray<string>, value: string): NsEntry =>
  devs.reduce((next, dev) => put(next, { family, dev, key }, value), space)

const namesOf = (links: ReadonlyArray<LinkEntry>): ReadonlyArray<string> => links.map((link) => link.name)

/** Whether a write of `all` is one of `default` and of every device too. IPv4 forwarding: only if it changes. */
const isGeneral = ({ family, dev, key }: Parsed, was: string, value: string): boolean =>
  dev === 'all' &&
  ((family === 4 && key === 'forwarding' && was !== value) ||
    (family === 6 && (key === 'forwarding' || key === 'disable_ipv6')))

/** The keys of IPv4 that reach devices through `default` also later (DEVINET_SYSCTL_RW_ENTRY). */
const FOLLOWING: ReadonlySet<DeviceKey> = new Set(['rp_filter', 'proxy_arp'])
const follows = ({ pinned4 }: LinkEntry, key: DeviceKey): boolean => pinned4 !== 'all' && !pinned4.includes(key)

/** A device follows `default` in those until it is written to or gets an IPv4 address. */
const spread = (space: NsEntry, parsed: Parsed, was: string, value: string): NsEntry => {
  const { family, dev, key } = parsed
  const there = devices(space, family)
  if (isGeneral(parsed, was, value)) return putAll(space, parsed, ['default', ...namesOf(there)], value)
  if (family === 6 || !FOLLOWING.has(key)) return space
  if (dev === 'default') return putAll(space, parsed, namesOf(there.filter((link) => follows(link, key))), value)
  const link = getIn(space.links, dev)
  if (link === undefined || !follows(link, key) || link.pinned4 === 'all') return space
  return putLink(space, { ...link, pinned4: [...link.pinned4, key] })
}

const disable6 = (world: World, ns: Ns, dev: IfName, was: string, value: string): World => {
  if ((was === '0') === (value === '0')) return world
  return value === '0' ? start6(world, ns, dev) : withNs(world, ns, (space) => stop6(space, dev))
}

/** Starts or stops IPv6 where `disable_ipv6` changed between two versions of a namespace. */
const settle6 = (before: NsEntry, world: World): World => {
  const { ns } = before
  return devices(before, 6).reduce((next, { name }) => {
    const parsed: Parsed = { family: 6, dev: name, key: 'disable_ipv6' }
    const value = (space: NsEntry): string => getIn(space.sysctls, nameOf(parsed)) ?? '0'
    const now = nsOf(next, ns)
    return now === undefined ? next : disable6(next, ns, name, value(before), value(now))
  }, world)
}

export const writeSysctl = (world: World, ns: Ns, name: SysctlName, text: string): Result => {
  const space = nsOf(world, ns)
  const parsed = parse(name)
  const n = integer(text)
  if (space !== undefined && NUMBERS.has(name))
    return n === null
      ? refuse('EINVAL')
      : done(putNs(world, { ...space, sysctls: setIn(space.sysctls, name, String(n)) }))
  if (space === undefined || parsed === null || !exists(space, parsed)) return refuse('ENOENT')
  if (n === null) return refuse('EINVAL')
  const value = String(n)
  const was = readSysctl(space, name) ?? value
  const next = putNs(world, spread(put(space, parsed, value), parsed, was, value))
  return done(parsed.key === 'disable_ipv6' ? settle6(space, next) : next)
}

const confOf = (family: Family, dev: string): string => `net.ipv${family}.conf.${dev.replaceAll('.', '/')}.`

/** Gives a new device the values of `default`. */
export const inheritSysctls = (space: NsEntry, dev: IfName, family: Family): NsEntry => {
  let { sysctls } = space
  const prefix = confOf(family, 'default')
  for (const [name, value] of entriesUnder(space.sysctls, prefix))
    sysctls = setIn(sysctls, confOf(family, dev) + name.slice(prefix.length), value)
  return sysctls === space.sysctls ? space : { ...space, sysctls }
}

export const forgetSysctls = (space: NsEntry, dev: IfName, family: Family): NsEntry => {
  let { sysctls } = space
  for (const [name] of entriesUnder(space.sysctls, confOf(family, dev))) sysctls = removeIn(sysctls, name)
  return sysctls === space.sysctls ? space : { ...space, sysctls }
}
