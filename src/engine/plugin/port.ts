// The port to network plugins, and to time. Of a plugin it is asked that it takes the calls about one object in the order in
// which they are sent, and a call that comes twice as one (its `id` comes again).

import type { PluginBody } from '../../model/plugin/protocol.ts'
import type { TaskEither } from '../../prelude.ts'

/** `id`: the idempotency key. `signal` aborts when nobody waits for the answer any more. */
export type PluginRequest = Readonly<{ id: string; body: PluginBody; signal: AbortSignal }>

/** Its own words (the protocol's `Err`), or why it could not be heard. */
export type PluginError = Readonly<{ tag: 'PluginSays'; error: string } | { tag: 'PluginUnreachable'; why: string }>

/** Right: the JSON it answered with, as it came, if that holds no `Err`. */
export type Plugin = (request: PluginRequest) => TaskEither<PluginError, unknown>

/** By the type of their driver. */
export type Plugins = ReadonlyMap<string, Plugin>

/** Does something after so long, unless what it returns is called before. */
export type After = (delayMs: number, then: () => void) => () => void

export const systemTime: After = (delayMs, then) => {
  const timer = setTimeout(then, delayMs)
  return () => clearTimeout(timer)
}
