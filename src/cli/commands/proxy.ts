// cnm proxy: stays, and relays what the kernel cannot take to a container, as the store says. It is read beside whoever is at work, and
// nothing is changed, so the directory is never held.

import { setTimeout as sleep } from 'node:timers/promises'
import { DRIVERS } from '../../drivers/registry.ts'
import { relaysIn } from '../../drivers/relays.ts'
import { isIp4, showIp } from '../../net/ip.ts'
import type { End, Relay } from '../../net/relay.ts'
import { E, type Either } from '../../prelude.ts'
import { type Failure, makeProxy } from '../../proxy/proxy.ts'
import type { Beside } from '../../store/beside.ts'
import { EXIT } from '../exit.ts'
import { exitOf, untilSignal } from '../guard.ts'
import { besidePlace } from '../host/kept.ts'
import type { HostOptions } from '../host/open.ts'
import type { Place } from '../host/place.ts'
import { storeProblem } from '../host/refusal.ts'
import { readIn } from '../host/watch.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'

export type ProxyOptions = Readonly<{ store: Place }>

const BETWEEN_MS = 50
/** After so long it is tried again to have a port, and looked for new addresses of the host. */
const RENEW_MS = 1000

const showEnd = ({ ip, port }: End): string => (isIp4(ip) ? `${showIp(ip)}:${port}` : `[${showIp(ip)}]:${port}`)
const showRelay = ({ transport, at, to }: Relay): string => `${transport} ${showEnd(at)} to ${showEnd(to)}`

type Seen = Readonly<{ stamp: string | null; relays: ReadonlyArray<Relay> }>
const NOTHING: Seen = { stamp: null, relays: [] }

const look = async (options: HostOptions, beside: Beside): Promise<Either<Problem, Seen>> => {
  const sight = await beside.read()
  if (E.isLeft(sight)) return E.left(storeProblem(sight.left))
  if (sight.right === null) return E.right(NOTHING)
  const stored = await readIn(sight.right, options)
  if (E.isLeft(stored)) return stored
  return E.right({ stamp: sight.right.stamp, relays: relaysIn(DRIVERS, stored.right.core.model) })
}

/** Says which relays are new and which are over, and of a failure what it is, once. */
const teller = (io: Io) => {
  let served = new Set<string>()
  let failing = new Set<string>()
  return (relays: ReadonlyArray<Relay>, failures: ReadonlyArray<Failure>): void => {
    const failed = new Set(failures.map(({ relay, why }) => `${showRelay(relay)}: ${why}`))
    const refused = new Set(failures.map(({ relay }) => showRelay(relay)))
    const now = new Set(relays.map(showRelay).filter((text) => !refused.has(text)))
    for (const text of served) if (!now.has(text)) io.out(`ended: ${text}`)
    for (const text of now) if (!served.has(text)) io.out(`relayed: ${text}`)
    for (const text of failed) if (!failing.has(text)) io.err(`note: cannot relay ${text}`)
    served = now
    failing = failed
  }
}

const untilChanged = async (beside: Beside, seen: Seen, stop: AbortSignal): Promise<void> => {
  const start = performance.now()
  do await sleep(BETWEEN_MS, undefined, { signal: stop }).catch(() => {})
  while (!stop.aborted && beside.stamp() === seen.stamp && performance.now() - start < RENEW_MS)
}

const relaying = async (io: Io, options: HostOptions, stop: AbortSignal): Promise<Either<Problem, number>> => {
  const proxy = makeProxy()
  const beside = besidePlace(options.store)
  const tell = teller(io)
  let seen: Seen | null = null
  io.err('relaying for this host; Ctrl-C ends it')
  try {
    while (!stop.aborted) {
      if (seen === null || beside.stamp() !== seen.stamp) {
        const looked = await look(options, beside)
        if (E.isLeft(looked)) return looked
        seen = looked.right
      }
      tell(seen.relays, await proxy.serve(seen.relays))
      if (!(await io.ready())) return E.right(EXIT.ok)
      await untilChanged(beside, seen, stop)
    }
    return E.right(EXIT.ok)
  } finally {
    proxy.close()
    await beside.close()
  }
}

export const proxy = async (io: Io, { store }: ProxyOptions): Promise<Either<Problem, number>> => {
  const { value, signal } = await untilSignal((stop) => relaying(io, { store, kernel: 'linux' }, stop))
  return signal === null || E.isLeft(value) ? value : E.right(exitOf(signal))
}
