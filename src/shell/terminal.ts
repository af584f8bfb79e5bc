// What a kernel must offer to a shell, and how a command asks for it. A command is a talk: a generator that yields questions to the
// terminal and is resumed with their answers, so that everything here is pure and whoever runs it may wait (cli/shell/hold.ts).
// Left of an answer: the kernel could not be asked, and the talk ends there.

import type { Errno } from '../kernel/errno.ts'
import type { KernelError } from '../kernel/kernel.ts'
import type { Request } from '../kernel/rtnl/request.ts'
import type { Stack } from '../kernel/rtnl/stack.ts'
import type { Ip } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { TaskEither } from '../prelude.ts'
import type { Done } from './done.ts'
import type { Job, JobFacts } from './job.ts'
import type { Network } from './network.ts'
import type { Wire } from './wire.ts'

/** `words`: the kernel's own beside the errno (extended acknowledgement), without `Error: `; null if it gave none. */
export type Refusal = Readonly<{ errno: Errno; words: string | null }>

/** Of `ip route get`; `words`: the whole question, for who asks the real program. */
export type RouteQuestion = Readonly<{
  to: Ip
  from: Ip | null
  iif: IfName | null
  oif: IfName | null
  mark: number
  tos: number
  words: ReadonlyArray<string>
}>
/**
 * `said`: the real program's own answer. `table` null: none was asked. `proto`, `metric`: of the route (IPv6). `redirected`: the
 * gateway is that of a redirect. `expiresS`: for how long that, and the MTU, is believed, if it was learned. `errno`: one of errno(3)'s.
 */
export type RouteAnswer = Readonly<
  | {
      tag: 'route'
      type: 'unicast' | 'local' | 'broadcast' | 'multicast'
      via: Ip | null
      dev: IfName
      src: Ip | null
      table: number | null
      proto: number
      metric: number
      mtu: number | null
      redirected: boolean
      expiresS: number | null
    }
  | { tag: 'refused'; errno: string }
  | { tag: 'said'; done: Done }
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
  /** Null: programs are the kernel's own (`program`). */
  wire: () => Answer<Wire | null>
  /** What follows belongs to one program; `why` tells of the last. */
  begin: () => Answer<void>
  /** Why the last packet died, and its way there, in lines; null: none did. */
  why: () => Answer<ReadonlyArray<string> | null>
  sleep: (ms: number) => Answer<void>
  /** A program goes on beside the commands: its number, or a text that says why not. `job` null: the kernel's own program. */
  start: (ns: Ns, program: Program, job: Job | null) => Answer<string | number>
  jobs: () => Answer<ReadonlyArray<JobFacts>>
  /** Waits for its end, or makes it end; what it has written. Null: there is no such job. */
  finish: (job: number, how: 'wait' | 'kill') => Answer<Done | null>
  network: Network
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
