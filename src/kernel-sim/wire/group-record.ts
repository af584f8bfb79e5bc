// What a host says of its multicast groups: the records that IGMPv3 (RFC 3376 section 4.2.4) and MLDv2 (RFC 3810 section 5.2.5)
// have alike but for the size of addresses. Auxiliary data, which nobody sends, has no place in a value.

import type { Ip, Ip4, Ip6 } from '../../net/ip.ts'
import { get8, get16, getIp4, getIp6, put8, put16, put32, putIp6 } from './bytes.ts'

/** In the order of their numbers, from 1: two of the current state, two of a changed mode, two of changed sources. */
export const RECORDS = ['is-include', 'is-exclude', 'to-include', 'to-exclude', 'allow', 'block'] as const

export type GroupRecord<A extends Ip> = Readonly<{
  kind: (typeof RECORDS)[number]
  group: A
  sources: ReadonlyArray<A>
}>

/** How addresses of a family are written; `size` in bytes. */
export type AddressForm<A extends Ip> = Readonly<{
  size: number
  put: (to: Uint8Array, at: number, ip: A) => void
  get: (from: Uint8Array, at: number) => A
}>

export const FORM4: AddressForm<Ip4> = { size: 4, put: put32, get: getIp4 }
export const FORM6: AddressForm<Ip6> = { size: 16, put: putIp6, get: getIp6 }

const HEADER = 4

export const lengthOfRecords = <A extends Ip>(form: AddressForm<A>, records: ReadonlyArray<GroupRecord<A>>): number =>
  records.reduce((n, record) => n + HEADER + form.size * (1 + record.sources.length), 0)

export const writeRecords = <A extends Ip>(
  form: AddressForm<A>,
  to: Uint8Array,
  start: number,
  records: ReadonlyArray<GroupRecord<A>>,
): void => {
  let at = start
  for (const { kind, group, sources } of records) {
    put8(to, at, RECORDS.indexOf(kind) + 1)
    put16(to, at + 2, sources.length)
    at += HEADER
    for (const ip of [group, ...sources]) {
      form.put(to, at, ip)
      at += form.size
    }
  }
}

/** Exactly `count` records; null if there are fewer bytes, or more, or of another kind. */
export const readRecords = <A extends Ip>(
  form: AddressForm<A>,
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
): ReadonlyArray<GroupRecord<A>> | null => {
  const records: GroupRecord<A>[] = []
  let at = start
  while (records.length < count) {
    if (end - at < HEADER + form.size) return null
    const kind = RECORDS[get8(bytes, at) - 1]
    const sources = get16(bytes, at + 2)
    const next = at + HEADER + form.size * (1 + sources)
    if (kind === undefined || get8(bytes, at + 1) !== 0 || next > end) return null
    const first = at + HEADER + form.size
    records.push({
      kind,
      group: form.get(bytes, at + HEADER),
      sources: Array.from({ length: sources }, (_, i) => form.get(bytes, first + i * form.size)),
    })
    at = next
  }
  return at === end ? records : null
}
