// What ICMP errors say, in the words of ping(8) and in the marks of traceroute(8).
// Source: iputils 20221126, ping.c (pr_icmph), ping6_common.c (print_icmp); traceroute 2.1, traceroute.c (print_probe).

import { showIp } from '../../net/ip.ts'
import type { Said } from '../wire.ts'

const UNREACHABLE4: Readonly<Record<string, string>> = {
  net: 'Destination Net Unreachable',
  host: 'Destination Host Unreachable',
  protocol: 'Destination Protocol Unreachable',
  port: 'Destination Port Unreachable',
  'source-route-failed': 'Source Route Failed',
  'net-unknown': 'Destination Net Unknown',
  'host-unknown': 'Destination Host Unknown',
  'host-isolated': 'Source Host Isolated',
  'net-prohibited': 'Destination Net Prohibited',
  'host-prohibited': 'Destination Host Prohibited',
  'net-tos': 'Destination Net Unreachable for Type of Service',
  'host-tos': 'Destination Host Unreachable for Type of Service',
  'admin-prohibited': 'Packet filtered',
  'host-precedence': 'Precedence Violation',
  'precedence-cutoff': 'Precedence Cutoff',
}

const UNREACHABLE6: Readonly<Record<string, string>> = {
  'no-route': 'No route',
  'admin-prohibited': 'Administratively prohibited',
  'beyond-scope': 'Beyond scope of source address',
  address: 'Address unreachable',
  port: 'Port unreachable',
  policy: 'Unknown code 5',
  'reject-route': 'Unknown code 6',
}

const REDIRECTS: Readonly<Record<string, string>> = {
  net: 'Redirect Network',
  host: 'Redirect Host',
  'net-tos': 'Redirect Type of Service and Network',
  'host-tos': 'Redirect Type of Service and Host',
}

const words4 = ({ type, code, mtu, gateway }: Said): string => {
  if (type === 'unreachable' && code === 'fragmentation-needed') return `Frag needed and DF set (mtu = ${mtu ?? 0})`
  if (type === 'unreachable') return UNREACHABLE4[code ?? ''] ?? 'Dest Unreachable'
  if (type === 'time-exceeded') return code === 'transit' ? 'Time to live exceeded' : 'Frag reassembly time exceeded'
  if (type === 'redirect')
    return `${REDIRECTS[code ?? ''] ?? 'Redirect'}(New nexthop: ${gateway === null ? '' : showIp(gateway)})`
  return 'Parameter problem'
}

const words6 = ({ type, code, mtu }: Said): string => {
  if (type === 'unreachable') return `Destination unreachable: ${UNREACHABLE6[code ?? ''] ?? ''}`
  if (type === 'packet-too-big') return `Packet too big: mtu=${mtu ?? 0}`
  if (type === 'time-exceeded') return `Time exceeded: ${code === 'transit' ? 'Hop limit' : 'Defragmentation failure'}`
  return 'Parameter problem: '
}

export const pingWords = (said: Said, v6: boolean): string => (v6 ? words6(said) : words4(said))

const MARKS: Readonly<Record<string, string>> = {
  net: '!N',
  'no-route': '!N',
  host: '!H',
  address: '!H',
  protocol: '!P',
  'source-route-failed': '!S',
  'admin-prohibited': '!X',
  'beyond-scope': '!S',
  'host-precedence': '!V',
  'precedence-cutoff': '!C',
  policy: '!<5>',
  'reject-route': '!<6>',
}

/** What traceroute puts behind an answer; null: the hop is one on the way. Empty: the end of the way. */
export const traceMark = ({ type, code, mtu }: Said): string | null => {
  if (type === 'time-exceeded') return null
  if (type === 'packet-too-big' || code === 'fragmentation-needed') return `!F-${mtu ?? 0}`
  if (type === 'unreachable' && code === 'port') return ''
  return type === 'unreachable' ? (MARKS[code ?? ''] ?? '!U') : '!U'
}
