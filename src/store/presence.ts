// Who holds an entry of a shared store, so that one process at a time is a host, or writes to a store that is one host's alone. Who finds
// it held by a process of this machine that has died takes its place.

import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { Hold, SharedStore } from './lease.ts'

/** `world`: this boot of this machine, and who sees whose process ids there. Null: it cannot be told. */
export type Holder = Readonly<{ machine: string; pid: number; world: string | null }>

const world = (): string | null => {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

const thisProcess = (): Holder => ({ machine: hostname(), pid: process.pid, world: world() })

export const readHolder = (text: string): Holder | null => {
  try {
    const { machine, pid, world: at } = { ...JSON.parse(text) }
    return typeof machine === 'string' && typeof pid === 'number' ? { machine, pid, world: at ?? null } : null
  } catch {
    return null
  }
}

/** Only who could see it alive may say that it is dead. */
const isDead = (holder: Holder | null): boolean => {
  if (holder === null || holder.world === null || holder.world !== world()) return false
  try {
    process.kill(holder.pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

/** What is written of who holds, and how another's is read: of this process, and of a simulated one. */
export type Identity = Readonly<{
  /** Of no other that holds. */
  text: string
  isDead: (text: string) => boolean
  /** For sentences. */
  nameOf: (text: string) => string
}>

export const processIdentity = (): Identity => ({
  text: JSON.stringify({ ...thisProcess(), nonce: randomUUID() }),
  isDead: (text) => isDead(readHolder(text)),
  nameOf: (text) => nameOf(readHolder(text)),
})

const nameOf = (holder: Holder | null): string =>
  holder === null ? 'another process' : `process ${holder.pid} on ${holder.machine}`

/** Left `StoreHeld`: somebody else holds it. `place`: what it stands for, for sentences. */
export const hold = async (
  store: SharedStore,
  key: string,
  identity: Identity,
  place: string,
  ttlMs: number,
  lost: (error: StoreError) => void,
): Promise<Either<StoreError, Hold>> => {
  for (;;) {
    const held = await store.hold(key, identity.text, ttlMs, lost)()
    if (E.isRight(held) || held.left.tag !== 'StoreConflict') return held
    const entry = await store.get(key)()
    if (E.isLeft(entry)) return entry
    if (entry.right === null) continue
    const { value, revision } = entry.right
    // What this process held before, and has given up by its own clock, may still be there.
    if (value !== identity.text && !identity.isDead(value))
      return E.left({ tag: 'StoreHeld', place, by: identity.nameOf(value) })
    const removed = await store.transact({ compares: [{ key, revision }], writes: [{ key, value: null }] })()
    if (E.isLeft(removed) && removed.left.tag !== 'StoreConflict') return removed
  }
}
