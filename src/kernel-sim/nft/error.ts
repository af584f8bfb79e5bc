// What nft says when it does not do what it was told, in its own form, and how one such answer is made of the place in the
// text that it is about. All of them end nft with status 1.
// Sources: nft(8) "EXIT STATUS", nftables src/erec.c.

import { type Errno, strerror } from '../../kernel/errno.ts'

/** Where in the text: a line from 1, and its columns from 1, both ends included. */
export type Place = Readonly<{ line: number; from: number; to: number }>

export type NftError = Readonly<
  { message: string; at: Place | null } & (
    | { kind: 'syntax' }
    /** nft itself found that it makes no sense: a type, a protocol, a name. */
    | { kind: 'meaning' }
    /** The kernel refused. */
    | { kind: 'kernel'; errno: Errno }
    /** Real nft can do it; the simulation cannot. */
    | { kind: 'not-in-simulation' }
  )
>

export const syntaxError = (unexpected: string, at: Place): NftError => ({
  kind: 'syntax',
  message: `syntax error, unexpected ${unexpected}`,
  at,
})
export const meaningError = (message: string, at: Place | null): NftError => ({ kind: 'meaning', message, at })
export const kernelError = (errno: Errno, at: Place | null): NftError => ({
  kind: 'kernel',
  errno,
  message: `Could not process rule: ${strerror[errno]}`,
  at,
})
export const notInSimulation = (what: string, at: Place | null): NftError => ({
  kind: 'not-in-simulation',
  message: `not in the simulation: ${what}`,
  at,
})

const rankOf = ({ kind }: NftError): number => (kind === 'kernel' ? 1 : 0)

/**
 * Which of two errors of one command nft would say: what it finds itself comes before what the kernel finds, and both go through
 * a command as it is written.
 */
export const firstOf = (a: NftError | null, b: NftError | null): NftError | null => {
  if (a === null || b === null) return a ?? b
  if (rankOf(a) !== rankOf(b)) return rankOf(a) < rankOf(b) ? a : b
  if (a.at === null || b.at === null) return a
  const order = a.at.line - b.at.line || a.at.from - b.at.from
  return order <= 0 ? a : b
}

/**
 * An error as nft writes it to its standard error: one line that says what and where, the line of the text, and marks below.
 * `file` is the name of the text; null for commands on a command line, of which nft does not count lines.
 */
export const showError = ({ message, at }: NftError, text: string, file: string | null): string => {
  if (at === null) return `Error: ${message}\n`
  const place = file === null ? '' : `${file}:${at.line}:${at.from}-${at.to}: `
  const line = text.split('\n')[at.line - 1] ?? ''
  const before = [...line.slice(0, at.from - 1).padEnd(at.from - 1)].map((c) => (c === '\t' ? c : ' ')).join('')
  const marks = '^'.repeat(Math.max(1, at.to - at.from + 1))
  return `${place}Error: ${message}\n${line}\n${before}${marks}\n`
}
