// A user-space proxy for published ports that the kernel cannot take to their containers (docs/proxy.md): all of a host in one
// process, on Node's own sockets.

import { showIp } from '../net/ip.ts'
import type { Relay } from '../net/relay.ts'
import { E } from '../prelude.ts'
import type { Open } from './open.ts'
import { relayTcp } from './tcp.ts'
import { EXPIRE_MS, relayUdp } from './udp.ts'

/** `why`: an errno. */
export type Failure = Readonly<{ relay: Relay; why: string }>

export type Proxy = Readonly<{
  /**
   * Relays these and no others: what goes through one that stays goes on, what goes through another is broken off. What could not be
   * opened is tried again with the next call.
   */
  serve: (relays: ReadonlyArray<Relay>) => Promise<ReadonlyArray<Failure>>
  close: () => void
}>

const keyOf = ({ transport, at, to }: Relay): string =>
  [transport, showIp(at.ip), at.port, showIp(to.ip), to.port].join(' ')

/** Calls of `serve` come one after the other. */
export const makeProxy = ({ expireMs = EXPIRE_MS }: Readonly<{ expireMs?: number }> = {}): Proxy => {
  const served = new Map<string, Open>()
  return {
    serve: async (relays) => {
      const wanted = new Map(relays.map((relay) => [keyOf(relay), relay]))
      for (const [key, open] of served) {
        if (wanted.has(key)) continue
        open.close()
        served.delete(key)
      }
      const failures: Failure[] = []
      for (const [key, relay] of wanted) {
        const there = served.get(key)
        if (there !== undefined) {
          await there.renew()
          continue
        }
        const opened = await (relay.transport === 'tcp' ? relayTcp(relay) : relayUdp(relay, expireMs))
        if (E.isRight(opened)) served.set(key, opened.right)
        else failures.push({ relay, why: opened.left })
      }
      return failures
    },
    close: () => {
      for (const open of served.values()) open.close()
      served.clear()
    },
  }
}
