// What the probing agent and its starter say to each other: JSON lines, one answer for each request, by id.
//
// A listener answers whoever reaches it with its token, so that a probe knows which listener it reached. Probes may then
// run at the same time: reaching another probe's listener means that, alone, this one would have found a closed port.

import type { Failure } from '../kernel/kernel.ts'

export type Transport = 'tcp' | 'udp'
export type Request = Readonly<
  | { do: 'listen'; proto: Transport; port: number; token: string }
  | { do: 'close'; token: string }
  | { do: 'connect'; proto: Transport; to: string; port: number; patienceMs: number }
>
/** `busy`: the port is somebody else's. `arrived` with null: at something that is no listener of ours. */
export type Answer = Readonly<
  | { tag: 'done' }
  | { tag: 'busy'; why: string }
  | { tag: 'arrived'; token: string | null }
  | { tag: 'died'; how: Failure }
>

export const greetingOf = (token: string): string => `cnm ${token}\n`

export const tokenIn = (heard: string): string | null => /^cnm (\S+)\n/.exec(heard)?.[1] ?? null
