// What a kernel must offer to a shell, and how a command asks for it. A command is a talk: a generator that yields questions to the
// terminal and is resumed with their answers, so that everything here is pure and whoever runs it may wait (cli/shell/hold.ts).
// Left of an answer: the kernel could not be asked, and the talk ends there.

import type { Errno } from '../kernel/errno.ts'
import type { KernelError, Probe, Verdict } from '../kernel/kernel.ts'
import type { Request } from '../kernel/rtnl/request.ts'
import type { Stack } from '../kernel/rtnl/stack.ts'
import type { Ip } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { TaskEither } from '../prelude.ts'
import type { Done } from './done.ts'

/** `words`: the kernel's own beside the errno (extended acknowledgement), without `Error: `; null if it gave none. */
export type Refusal = Readonly<{ errno: Errno; words: string | null }>

/** Of `ip route get`. */
export type RouteQuestion = Readonly<{ to: Ip; from: Ip | null; oif: IfName | null; words: ReadonlyArray<string> }>
/** `said`: the real program's own answer. `src` null: it has none. */
export type RouteAnswer = Readonly<
  | { tag: 'route'; via: Ip | null; dev: IfName; src: Ip | null; mtu: number | null; local: boolean }
  | { tag: 'refused'; errno: Errno }
  | { tag: 'said'; done: Done }
  | { tag: 'absent' }
>

/** A program that the terminal runs by itself: nft, and on Linux those that look at packets. */
export type Program = Readonly<{ name: string; words: ReadonlyArray<string>; input: string }>

export type Answer<A> = TaskEither<KernelError, A>

export type Terminal = Readonly<{
  kernel: 'sim' | 'linux'
  /** The present one first. */
  hosts: () => Answer<ReadonlyArray<string>>
  /** False: there is no such host. */
  goTo: (host: string) => Answer<boolean>
  /** Those with a name, without the one that the shell began in. */
  namespaces: () => Answer<ReadonlyArray<Ns>>
  ask: (request: Request) => Answer<Refusal | null>
  /** Null: there is no such namespace. */
  stackOf: (ns: Ns) => Answer<Stack | null>
  /** By its dotted name. Null: there is no such sysctl. */
  sysctl: (ns: Ns, name: string) => Answer<string | null>
  routeTo: (ns: Ns, question: RouteQuestion) => Answer<RouteAnswer>
  /** Null: it has no such program. */
  program: (ns: Ns, program: Program) => Answer<Done | null>
  /** Null: it cannot send packets by itself. */
  probe: (probe: Probe) => Answer<Verdict | null>
  /** Why the last packet died; null: none did. */
  why: () => Answer<string | null>
  /** Keeps the present under a name, or goes back there. Null: it can not; false: nothing is kept under it. */
  snapshot: (name: string) => Answer<true | null>
  back: (name: string) => Answer<boolean | null>
  /** The text of a file of the reader's; null: it cannot be read. `-` is the standard input. */
  file: (path: string) => Answer<string | null>
}>

export type Question = (terminal: Terminal) => Answer<unknown>
export type Talk<A> = Generator<Question, A, unknown>

/** Asks, and goes on with the answer. */
export function* asking<A>(question: (terminal: Terminal) => Answer<A>): Talk<A> {
  // Cast: whoever runs a talk resumes it with what the question's answer holds.
  return (yield question) as A
}

/** A talk that asks nothing. */
export function* answering<A>(value: A): Talk<A> {
  yield* []
  return value
}
