// Whom a program calls: an address, with the device that a link-local one is on. There are no names here but addresses.

import { familyOf, type Ip, isIp4, parseIp, showIp } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { nameIn } from '../context.ts'
import { readAddress } from '../value.ts'

export type Target = Readonly<{ ip: Ip; zone: IfName | null }>

const NUMBERS = /^[0-9][0-9.]*$/

/** IPv4 also with fewer than four parts, as inet_aton(3) reads it. */
const addressIn = (text: string): Ip | null => {
  if (!NUMBERS.test(text)) {
    const parsed = parseIp(text)
    return E.isLeft(parsed) ? null : parsed.right
  }
  const read = readAddress(text, 4)
  return E.isLeft(read) ? null : read.right
}

/** Null: a name, which nobody can resolve. */
export const targetIn = (text: string): Target | null => {
  const [address = '', zone] = text.split('%', 2)
  const ip = addressIn(address)
  if (ip === null) return null
  const dev = zone === undefined ? null : nameIn(zone)
  return zone !== undefined && (dev === null || isIp4(ip)) ? null : { ip, zone: dev }
}

export const isOfFamily = ({ ip }: Target, family: 4 | 6 | null): boolean => family === null || familyOf(ip) === family

/** As programs show it: a link-local address with its device. */
export const showTarget = ({ ip, zone }: Target): string => `${showIp(ip)}${zone === null ? '' : `%${zone}`}`
