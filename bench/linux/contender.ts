// Who attaches containers here: ours, the floor, and other systems. Each works in a host namespace of its own, with one
// network; its containers are there before the clock starts, on no network, and keep their namespaces.

import type { Later } from './tidy.ts'

export type Contender = Readonly<{
  /** As the ratio's `to`. */
  name: string
  /** Resolves when a caller would be answered: the container is reachable, also by its published ports. */
  attach: (containers: ReadonlyArray<number>) => Promise<unknown>
  /** The same: the caller may go on. */
  detach: (containers: ReadonlyArray<number>) => Promise<unknown>
  /** The host namespace's file. */
  host: string
}>

/** `ports`: how many each container publishes. */
export type Needs = Readonly<{ what: string; containers: number; ports: number }>
export type Open = (later: Later, needs: Needs) => Promise<Contender>

/** Somebody who may not be installed. */
export type Peer = Readonly<{
  name: string
  /** What is missing; null if nothing is. */
  missing: () => string | null
  open: Open
}>

type One = (container: number) => Promise<unknown>
type Many = Contender['attach']

/** Does it for each at the same time, as so many callers would. */
export const each =
  (one: One): Many =>
  (containers) =>
    Promise.all(containers.map(one))

/** Does it for one after the other, for who cannot do otherwise. */
export const inTurn =
  (one: One): Many =>
  async (containers) => {
    for (const container of containers) await one(container)
  }
