// Numbers that have names: tables, scopes, protocols and groups, as iproute2 has them without files in /etc/iproute2 but the
// packaged ones. Read by name or number, written by name where there is one.
// Source: iproute2 6.1, lib/rt_names.c, etc/iproute2/{rt_tables,rt_protos,rt_scopes,group}.

import { numberOf, U8, U32 } from './value.ts'

type Names = ReadonlyArray<readonly [name: string, number: number]>

const TABLES: Names = [
  ['unspec', 0],
  ['default', 253],
  ['main', 254],
  ['local', 255],
]
const SCOPES: Names = [
  ['global', 0],
  ['nowhere', 255],
  ['host', 254],
  ['link', 253],
  ['site', 200],
]
const PROTOCOLS: Names = [
  ['unspec', 0],
  ['redirect', 1],
  ['kernel', 2],
  ['boot', 3],
  ['static', 4],
  ['gated', 8],
  ['ra', 9],
  ['mrt', 10],
  ['zebra', 11],
  ['bird', 12],
  ['dnrouted', 13],
  ['xorp', 14],
  ['ntk', 15],
  ['dhcp', 16],
  ['keepalived', 18],
  ['babel', 42],
  ['openr', 99],
  ['bgp', 186],
  ['isis', 187],
  ['ospf', 188],
  ['rip', 189],
  ['eigrp', 192],
]
const GROUPS: Names = [['default', 0]]
/** rt_dsfield. */
const FIELDS: Names = [
  ['default', 0],
  ['AF11', 0x28],
  ['AF12', 0x30],
  ['AF13', 0x38],
  ['AF21', 0x48],
  ['AF22', 0x50],
  ['AF23', 0x58],
  ['AF31', 0x68],
  ['AF32', 0x70],
  ['AF33', 0x78],
  ['AF41', 0x88],
  ['AF42', 0x90],
  ['AF43', 0x98],
  ['CS1', 0x20],
  ['CS2', 0x40],
  ['CS3', 0x60],
  ['CS4', 0x80],
  ['CS5', 0xa0],
  ['CS6', 0xc0],
  ['CS7', 0xe0],
  ['EF', 0xb8],
]

const byName =
  (names: Names, most: number) =>
  (text: string): number | null =>
    names.find(([name]) => name === text)?.[1] ?? numberOf(text, most)
const byNumber =
  (names: Names) =>
  (number: number): string =>
    names.find(([, one]) => one === number)?.[0] ?? String(number)

export const tableOf = byName(TABLES, U32)
export const tableName = byNumber(TABLES)
export const scopeOf = byName(SCOPES, U8)
export const scopeName = byNumber(SCOPES)
export const protocolOf = byName(PROTOCOLS, U8)
export const protocolName = byNumber(PROTOCOLS)
export const groupOf = byName(GROUPS, 0x7fffffff)
export const groupName = byNumber(GROUPS)

const HEX = /^(0x)?[0-9a-f]+$/i
/** A number without a name is hexadecimal. */
export const tosOf = (text: string): number | null => {
  const named = FIELDS.find(([name]) => name === text)?.[1]
  if (named !== undefined || !HEX.test(text)) return named ?? null
  const value = Number.parseInt(text, 16)
  return value <= U8 ? value : null
}
export const tosName = (tos: number): string =>
  FIELDS.find(([, one]) => one === tos)?.[0] ?? `0x${tos.toString(16).padStart(2, '0')}`
