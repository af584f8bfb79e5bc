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

/** The status that nft exits with. */
export const exitStatus = (errors: ReadonlyArray<NftError>): 0 | 1 => (errors.length === 0 ? 0 : 1)

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
