// The sysctls we set, and which device each belongs to. A sysctl of a device lives and dies with it.
// Source: Documentation/networking/ip-sysctl.rst.

import { DEFAULT_PORTS, type PortRange } from '../net/host-facts.ts'
import type { IfName } from '../net/name.ts'
import { isPort } from '../net/port.ts'
import type { Brand } from '../prelude.ts'

/** A dotted name below /proc/sys; in the device part a `.` of the device's name is written `/`, as sysctl(8) does. */
export type SysctlName = string & Brand<'SysctlName'>

const DEVICE_KEYS = [
  'route_localnet',
  'disable_ipv6',
  'accept_ra',
  'accept_redirects',
  'forwarding',
  'rp_filter',
  'proxy_arp',
  'accept_local',
  'send_redirects',
  'arp_ignore',
  'arp_announce',
  'arp_filter',
  'log_martians',
  'proxy_ndp',
  'accept_dad',
  'dad_transmits',
] as const
export type DeviceKey = (typeof DEVICE_KEYS)[number]

/** Routing between interfaces, per family; off in a fresh namespace. */
export const FORWARD4 = 'net.ipv4.ip_forward' as SysctlName
export const FORWARD6 = 'net.ipv6.conf.all.forwarding' as SysctlName

/** How many milliseconds must pass between two ICMP errors to one address; 0: no limit. 1000 and 100 by default. */
export const ICMP_LIMIT4 = 'net.ipv4.icmp_ratelimit' as SysctlName
export const ICMP_LIMIT6 = 'net.ipv6.icmp.ratelimit' as SysctlName

/** Ports that are given out by the kernel itself, and those among them that it does not give out. */
export const PORT_RANGE = 'net.ipv4.ip_local_port_range' as SysctlName
export const RESERVED_PORTS = 'net.ipv4.ip_local_reserved_ports' as SysctlName

const rangeOf = (from: string | undefined, to: string | undefined): PortRange | null => {
  const [first, last] = [Number(from), Number(to)]
  return isPort(first) && isPort(last) && first <= last ? { from: first, to: last } : null
}

const INTEGER = /^\s*(-?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)\s*$/i

/** As the kernel says back what was written: numbers in decimal, one blank between them. */
export const asKept = (value: string): string =>
  value
    .trim()
    .split(/\s+/)
    .map((word) => String(sysctlInteger(word) ?? word))
    .join(' ')

/** As proc_dointvec reads it: decimal, octal or hexadecimal, 32 bits with a sign. */
export const sysctlInteger = (text: string): number | null => {
  const [, sign, digits] = INTEGER.exec(text) ?? []
  if (digits === undefined) return null
  const octal = /^0[0-7]/.test(digits)
  const n = (sign === '-' ? -1 : 1) * Number.parseInt(digits, octal ? 8 : digits.startsWith('0') ? 16 : 10)
  const value = digits === '0' ? 0 : n
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : null
}

/** Reads `32768 60999`. */
export const automaticPorts = (value: string): PortRange => {
  const [from, to] = value.split(/\s+/)
  return rangeOf(from, to) ?? DEFAULT_PORTS
}

/** Reads `8080,9000-9010`. The kernel has 0 there, too, which is no port. */
export const reservedPorts = (value: string): ReadonlyArray<PortRange> =>
  value.split(',').flatMap((part) => {
    const [from, to = from] = part.split('-')
    const range = rangeOf(from === '0' ? '1' : from, to)
    return range === null ? [] : [range]
  })

const inSysctl = (dev: IfName): string => dev.replaceAll('.', '/')

/** `net.ipv4.conf.<dev>.<key>` or `net.ipv6.conf.<dev>.<key>`. */
export const deviceSysctl = (family: 4 | 6, dev: IfName, key: DeviceKey): SysctlName =>
  `net.ipv${family}.conf.${inSysctl(dev)}.${key}` as SysctlName

/** `net.ipv4.neigh.IFNAME.gc_stale_time`, say, of that device. Casts: whoever calls it has checked that it is a name of this shape. */
export const interfaceSysctl = (name: string, dev: IfName): SysctlName =>
  name.replace('.IFNAME.', `.${inSysctl(dev)}.`) as SysctlName

const DEVICE = /^net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.([^.]+)\.[a-z0-9_]+$/

/** The device a sysctl belongs to, or null for one of the whole namespace (`all` and `default` included). */
export const sysctlDevice = (name: SysctlName): string | null => {
  const dev = DEVICE.exec(name)?.[1]
  return dev === undefined || dev === 'all' || dev === 'default' ? null : dev.replaceAll('/', '.')
}

/** Whether it says what an interface that comes later begins with. */
export const isInherited = (name: SysctlName): boolean => name.includes('.default.')
