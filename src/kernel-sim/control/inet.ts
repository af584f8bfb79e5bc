// Whether a family runs on a device at all. Source: net/ipv4/devinet.c (inetdev_valid_mtu), net/ipv6/addrconf.c.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import type { LinkEntry } from '../link-entry.ts'

/** RFC 791's smallest MTU; below it Linux drops IPv4 from a device (only loopback devices allow it). */
const MIN_MTU4 = 68

export const runs4 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU4
/** A loopback device keeps IPv6 whatever its MTU. */
export const runs6 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU6 || link.spec.type === 'loopback'
export const disabled6 = ({ conf }: LinkEntry): boolean => (conf[6].disable_ipv6 ?? '0') !== '0'
export const forwards6 = ({ conf }: LinkEntry): boolean => (conf[6].forwarding ?? '0') !== '0'
