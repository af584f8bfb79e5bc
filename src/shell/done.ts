// What a command comes to, as a process does: a status, and what it wrote. The statuses are those of the real programs, whose
// `exit(-1)` is 255; what we do not have says so with one of its own.
// Source: iproute2 6.1 (lib/utils.c, ip.c, bridge.c), procps sysctl(8).

import { E, type Either } from '../prelude.ts'

export type Done = Readonly<{ status: number; stdout: string; stderr: string }>

/** What is read from words; left: what the program says where it cannot read them. */
export type Read<A> = Either<Done, A>

/** Of what the real programs can do and we cannot; as a shell's where it finds no command. */
export const ABSENT_STATUS = 127

export const QUIET: Done = { status: 0, stdout: '', stderr: '' }

const lines = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

/** `text` to the standard output, as it is. */
export const printed = (text: string): Done => ({ status: 0, stdout: text, stderr: '' })
export const failed = (status: number, text: string): Done => ({ status, stdout: '', stderr: lines(text) })
export const refuse = (status: number, text: string): Either<Done, never> => E.left(failed(status, text))

/** `what`: as it was asked for. */
export const notHere = (what: string): Done => failed(ABSENT_STATUS, `not in the simulation: ${what}`)
export const absentHere = (what: string): Either<Done, never> => E.left(notHere(what))

/** One after the other: all that was written, and the last status. */
export const joined = (all: ReadonlyArray<Done>): Done => ({
  status: all.at(-1)?.status ?? 0,
  stdout: all.map(({ stdout }) => stdout).join(''),
  stderr: all.map(({ stderr }) => stderr).join(''),
})
