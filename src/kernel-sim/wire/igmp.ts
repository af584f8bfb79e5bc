// The Internet Group Management Protocol, version 3: the report (RFC 3376 section 4.2). Linux sends it to 224.0.0.22 with a
// router alert and a TTL of 1.

import type { Ip4 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { get8, get16, put8, put16 } from './bytes.ts'
import { checksum, verdictOf } from './checksum.ts'
import { type Read, unknown, wrong } from './error.ts'
import { FORM4, type GroupRecord, lengthOfRecords, readRecords, writeRecords } from './group-record.ts'
import type { Source } from './nested.ts'

export type Igmp = Readonly<{ proto: 'igmp'; type: 'report3'; records: ReadonlyArray<GroupRecord<Ip4>> }>

export const IGMP = 2
const HEADER = 8
const REPORT = 0x22

export const lengthOfIgmp = ({ records }: Igmp): number => HEADER + lengthOfRecords(FORM4, records)

export const writeIgmp = (to: Uint8Array, at: number, end: number, { records }: Igmp): void => {
  put8(to, at, REPORT)
  put16(to, at + 6, records.length)
  writeRecords(FORM4, to, at + HEADER, records)
  put16(to, at + 2, checksum(to, at, end))
}

export const readIgmp = ({ bytes }: Source, at: number, end: number): Read<Igmp> => {
  if (end - at < HEADER) return wrong('igmp', 'truncated', at)
  const found = verdictOf(bytes, at, end, at + 2)
  if (found === 'wrong') return wrong('igmp', 'checksum', at)
  if (found !== 'right' || get8(bytes, at) !== REPORT) return unknown
  if (get8(bytes, at + 1) !== 0 || get16(bytes, at + 4) !== 0) return unknown
  const records = readRecords(FORM4, bytes, at + HEADER, end, get16(bytes, at + 6))
  return E.right(records === null ? null : { proto: 'igmp', type: 'report3', records })
}
