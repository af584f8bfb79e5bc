// Sysctls: the defaults of those never written, what a write spreads to, and what a new device inherits.
// Sources: Documentation/networking/ip-sysctl.rst, net/ipv4/devinet.c (devinet_conf_ifindex, inet_forward_change),
// net/ipv6/addrconf.c (addrconf_forward_change, addrconf_disable_change), kernel/sysctl.c (proc_dointvec).

import type { Errno } from '../../kernel/errno.ts'
import {
  type DeviceKey,
  FORWARD4,
  ICMP_LIMIT4,
  ICMP_LIMIT6,
  PORT_RANGE,
  RESERVED_PORTS,
  type SysctlName,
  sysctlInteger,
} from '../../kernel/sysctl.ts'
import { DEFAULT_PORTS } from '../../net/host-facts.ts'
import type { Family } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { type DeviceConf, FRESH_ALL, type LinkEntry, NO_CONF } from '../link-entry.ts'
import { addresses6, joinAnycast, leaveAnycast, restore6, start6, stop6 } from './addrconf.ts'
import { change, linkOf, linksOf, type Space } from './draft.ts'
import { INERT } from './inert-sysctls.ts'
import { disabled6, forwards6, runs4, runs6 } from './inet.ts'
import { listWritten, rangeWritten, showRange } from './port-sysctls.ts'

/** A fresh namespace's values; those of IPv4 may come from the machine instead (net.core.devconf_inherit_init_net). */
const DEFAULTS: Readonly<Record<Family, Readonly<Partial<Record<DeviceKey, string>>>>> = {
  4: {
    route_localnet: '0',
    forwarding: '0',
    rp_filter: '0',
    proxy_arp: '0',
    accept_local: '0',
    send_redirects: '1',
    arp_ignore: '0',
    arp_announce: '0',
    arp_filter: '0',
    log_martians: '0',
  },
  6: {
    disable_ipv6: '0',
    accept_ra: '1',
    accept_redirects: '1',
    forwarding: '0',
    proxy_ndp: '0',
    accept_dad: '1',
    dad_transmits: '1',
  },
}

/** What a device's sysctl is, as a number, while nothing was written; 0 of what a family does not have. */
export const deviceDefault = (family: Family, key: DeviceKey): number => Number(DEFAULTS[family][key] ?? 0)

/** As proc_dointvec reads it. */
const integer = (text: string): string | null => {
  const n = sysctlInteger(text)
  return n === null ? null : String(n)
}

/** A sysctl of a whole namespace: its default, and what a write makes of what it was, null if that is refused. */
type Whole = Readonly<{ otherwise: string; written: (text: string, was: string) => string | null }>

const within =
  (least: number, most: number) =>
  (text: string): string | null => {
    const n = sysctlInteger(text)
    return n === null || n < least || n > most ? null : String(n)
  }

const inert: ReadonlyArray<readonly [SysctlName, Whole]> = Object.entries(INERT).map(
  // A cast: they are written as sysctl(8) does.
  ([name, { otherwise, least, most }]) => [
    name as SysctlName,
    { otherwise: String(otherwise), written: within(least, most) },
  ],
)

/** What the limits govern is not modelled. */
const WHOLES: ReadonlyMap<SysctlName, Whole> = new Map([
  ...inert,
  [ICMP_LIMIT4, { otherwise: '1000', written: integer }],
  [ICMP_LIMIT6, { otherwise: '100', written: integer }],
  [PORT_RANGE, { otherwise: showRange(DEFAULT_PORTS), written: rangeWritten }],
  [RESERVED_PORTS, { otherwise: '', written: listWritten }],
])

/** `dev` is `all`, `default` or a device. */
type Parsed = Readonly<{ family: Family; dev: string; key: DeviceKey }>

const DEVICE = /^net\.ipv([46])\.conf\.([^.]+)\.([a-z0-9_]+)$/

const isKey = (family: Family, key: string): key is DeviceKey => Object.hasOwn(DEFAULTS[family], key)

/** `net.ipv4.ip_forward` and `net.ipv4.conf.all.forwarding` are one variable. */
const parse = (name: SysctlName): Parsed | null => {
  if (name === FORWARD4) return { family: 4, dev: 'all', key: 'forwarding' }
  const [, digit, dev, key] = DEVICE.exec(name) ?? []
  if (digit === undefined || dev === undefined || key === undefined) return null
  const family = digit === '4' ? 4 : 6
  return isKey(family, key) ? { family, dev: dev.replaceAll('/', '.'), key } : null
}

/** Device names that would hide a directory of `conf`; the kernel refuses them. */
const RESERVED: ReadonlySet<string> = new Set(['all', 'default'])
export const isReserved = (name: IfName): boolean => RESERVED.has(name)

const exists = (space: Space, { family, dev }: Parsed): boolean => {
  if (RESERVED.has(dev)) return true
  const link = linkOf(space, dev)
  return link !== null && (family === 4 ? runs4(link) : runs6(link))
}

const valueIn = (conf: DeviceConf, { family, key }: Parsed): string | null =>
  conf[family][key] ?? DEFAULTS[family][key] ?? null

/** The kernel's default, or null if there is no such sysctl. */
export const sysctlDefault = (name: SysctlName): string | null => {
  const parsed = parse(name)
  if (parsed === null) return WHOLES.get(name)?.otherwise ?? null
  return valueIn(parsed.dev === 'all' ? FRESH_ALL : NO_CONF, parsed)
}

const confOf = (space: Space, dev: string): DeviceConf => {
  if (dev === 'all') return space.now.confAll
  return dev === 'default' ? space.now.confDefault : (linkOf(space, dev)?.conf ?? NO_CONF)
}

/** Its value, or null if the namespace has no such sysctl. */
export const readSysctl = (space: Space, name: SysctlName): string | null => {
  const whole = WHOLES.get(name)
  if (whole !== undefined) return space.now.sysctls[name] ?? whole.otherwise
  const parsed = parse(name)
  return parsed === null || !exists(space, parsed) ? null : valueIn(confOf(space, parsed.dev), parsed)
}

const written = (conf: DeviceConf, { family, key }: Parsed, value: string): DeviceConf => {
  const own = { ...conf[family], [key]: value }
  return family === 4 ? { 4: own, 6: conf[6] } : { 4: conf[4], 6: own }
}

const putInto = (space: Space, parsed: Parsed, links: ReadonlyArray<LinkEntry>, value: string): void => {
  for (const link of links) change(space, link, { conf: written(link.conf, parsed, value) })
}

const put = (space: Space, parsed: Parsed, value: string): void => {
  const link = linkOf(space, parsed.dev)
  if (parsed.dev === 'all') space.now.confAll = written(space.now.confAll, parsed, value)
  else if (parsed.dev === 'default') space.now.confDefault = written(space.now.confDefault, parsed, value)
  else if (link !== null) putInto(space, parsed, [link], value)
}

const devices = (space: Space, family: Family): ReadonlyArray<LinkEntry> =>
  linksOf(space).filter(family === 4 ? runs4 : runs6)

/** Whether a write of `all` is one of `default` and of every device too. IPv4 forwarding: only if it changes. */
const isGeneral = ({ family, dev, key }: Parsed, was: string, value: string): boolean =>
  dev === 'all' &&
  ((family === 4 && key === 'forwarding' && was !== value) ||
    (family === 6 && (key === 'forwarding' || key === 'disable_ipv6')))

/** The keys of IPv4 that reach devices through `default` also later (DEVINET_SYSCTL_RW_ENTRY). */
const FOLLOWING: ReadonlySet<DeviceKey> = new Set([
  'rp_filter',
  'proxy_arp',
  'accept_local',
  'send_redirects',
  'arp_ignore',
  'arp_announce',
  'arp_filter',
  'log_martians',
])
const follows = ({ pinned4 }: LinkEntry, key: DeviceKey): boolean => pinned4 !== 'all' && !pinned4.includes(key)

/** A device follows `default` in those until it is written to or gets an IPv4 address. */
const spread = (space: Space, parsed: Parsed, was: string, value: string): void => {
  const { family, dev, key } = parsed
  if (isGeneral(parsed, was, value)) {
    put(space, { ...parsed, dev: 'default' }, value)
    putInto(space, parsed, devices(space, family), value)
  }
  if (family === 6 || !FOLLOWING.has(key)) return
  if (dev === 'default') {
    const following = devices(space, family).filter((link) => follows(link, key))
    putInto(space, parsed, following, value)
  }
  const link = linkOf(space, dev)
  if (link === null || !follows(link, key) || link.pinned4 === 'all') return
  change(space, link, { pinned4: [...link.pinned4, key] })
}

/** What IPv6 does on those of these devices, as they were, whose `disable_ipv6` or `forwarding` has changed. */
const settle6 = (space: Space, before: ReadonlyArray<LinkEntry>): void => {
  for (const was of before) {
    const link = linkOf(space, was.name)
    if (link === null) continue
    if (forwards6(link) !== forwards6(was)) {
      joinAnycast(space, link.name)
      if (!forwards6(link)) leaveAnycast(space, link.name, addresses6(link))
    }
    if (disabled6(link) === disabled6(was)) continue
    if (disabled6(link)) stop6(space, link.name)
    else {
      restore6(space, link.name)
      start6(space, link.name)
    }
  }
}

/** Those of IPv6 that change more than themselves. */
const LIVELY: ReadonlySet<DeviceKey> = new Set(['disable_ipv6', 'forwarding'])

const writeWhole = (
  space: Space,
  name: SysctlName,
  { otherwise, written: read }: Whole,
  text: string,
): Errno | null => {
  const value = read(text, space.now.sysctls[name] ?? otherwise)
  if (value === null) return 'EINVAL'
  space.now.sysctls = { ...space.now.sysctls, [name]: value }
  return null
}

export const writeSysctl = (space: Space, name: SysctlName, text: string): Errno | null => {
  const whole = WHOLES.get(name)
  if (whole !== undefined) return writeWhole(space, name, whole, text)
  const parsed = parse(name)
  if (parsed === null || !exists(space, parsed)) return 'ENOENT'
  const value = integer(text)
  if (value === null) return 'EINVAL'
  const { family, dev, key } = parsed
  const was = valueIn(confOf(space, dev), parsed) ?? value
  const own = linkOf(space, dev)
  const concerned = !LIVELY.has(key) || family === 4 ? [] : dev === 'all' ? linksOf(space) : own === null ? [] : [own]
  put(space, parsed, value)
  spread(space, parsed, was, value)
  settle6(space, concerned)
  return null
}
