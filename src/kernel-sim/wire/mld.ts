// Multicast Listener Discovery, version 2: the report (RFC 3810 section 5.2). Linux sends one for each address it gets, to
// ff02::16 with a router alert.

import type { Ip6 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { get8, get16, put8, put16 } from './bytes.ts'
import { type Read, unknown } from './error.ts'
import { FORM6, type GroupRecord, lengthOfRecords, readRecords, writeRecords } from './group-record.ts'
import type { Source } from './nested.ts'

export type Mld = Readonly<{ proto: 'icmp6'; type: 'mld2-report'; records: ReadonlyArray<GroupRecord<Ip6>> }>

const HEADER = 8
const REPORT = 143

export const lengthOfMld = ({ records }: Mld): number => HEADER + lengthOfRecords(FORM6, records)

/** All but the checksum. */
export const writeMld = (to: Uint8Array, at: number, { records }: Mld): void => {
  put8(to, at, REPORT)
  put16(to, at + 6, records.length)
  writeRecords(FORM6, to, at + HEADER, records)
}

export const readMld = ({ bytes }: Source, at: number, end: number): Read<Mld> => {
  if (get8(bytes, at + 1) !== 0 || get16(bytes, at + 4) !== 0) return unknown
  const records = readRecords(FORM6, bytes, at + HEADER, end, get16(bytes, at + 6))
  return E.right(records === null ? null : { proto: 'icmp6', type: 'mld2-report', records })
}
