// The two sysctls of a namespace that say which ports its sockets are given, as the kernel reads and tells them.
// Sources: net/ipv4/sysctl_net_ipv4.c (ipv4_local_port_range), kernel/sysctl.c (proc_dointvec, proc_do_large_bitmap).

import type { PortRange } from '../../net/host-facts.ts'

/** net.ipv4.ip_unprivileged_port_start, which is not modelled: the range may not begin below. */
const FIRST_UNPRIVILEGED = 1024
const LAST = 65535

const NUMBER = /^(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i

/** Decimal, octal or hexadecimal. */
const portIn = (text: string): number | null => {
  if (!NUMBER.test(text)) return null
  const value = Number.parseInt(text, /^0x/i.test(text) ? 16 : text.startsWith('0') ? 8 : 10)
  return value <= LAST ? value : null
}

/** What a write makes of `<from> <to>`; of one number only the beginning is new. Null: refused. */
export const rangeWritten = (text: string, was: string): string | null => {
  const words = text.trim().split(/\s+/)
  const [from, to] = [portIn(words[0] ?? ''), portIn(words[1] ?? was.split(' ')[1] ?? '')]
  if (from === null || to === null || from < FIRST_UNPRIVILEGED || to < from) return null
  return `${from} ${to}`
}

const endsOf = (part: string): Readonly<{ from: number; to: number }> | null => {
  const [from, to, more] = part.split('-').map(portIn)
  if (from === undefined || from === null || to === null || more !== undefined) return null
  return from <= (to ?? from) ? { from, to: to ?? from } : null
}

/** What a write makes of `80,9000-9010`: in order, those that touch as one. Null: refused. */
export const listWritten = (text: string): string | null => {
  const trimmed = text.replace(/\n+$/, '').replace(/,$/, '')
  const ranges = trimmed === '' ? [] : trimmed.split(',').map(endsOf)
  const joined: Array<{ from: number; to: number }> = []
  for (const range of ranges.toSorted((a, b) => (a?.from ?? 0) - (b?.from ?? 0))) {
    if (range === null) return null
    const last = joined.at(-1)
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to)
    else joined.push({ ...range })
  }
  return joined.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

export const showRange = ({ from, to }: PortRange): string => `${from} ${to}`
