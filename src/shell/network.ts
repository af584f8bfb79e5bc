// Many hosts, and the segments between them: what a terminal offers of them. On Linux a host is a namespace, and a segment a bridge.

import type { Quality } from '../kernel/quality.ts'
import type { IfName } from '../net/name.ts'
import type { Answer } from './terminal.ts'

/** `cards`: which device of which host is plugged in. `cut`: the hosts that reach only each other; null: it is whole. */
export type SegmentFacts = Readonly<{
  name: string
  quality: Quality
  cards: ReadonlyArray<string>
  cut: ReadonlyArray<string> | null
}>

/** A sentence says why it cannot be; null: it is done. */
export type Deed = Answer<string | null>

export type Network = Readonly<{
  addHost: (name: string) => Deed
  segments: () => Answer<ReadonlyArray<SegmentFacts>>
  addSegment: (name: string, quality: Partial<Quality>) => Deed
  setSegment: (name: string, quality: Partial<Quality>) => Deed
  /** A card of the host, with a cable to a segment; it is down. */
  plug: (host: string, dev: IfName, segment: string) => Deed
  /** From now on these hosts do not reach the others; none: nobody reaches anybody. */
  cut: (segment: string, hosts: ReadonlyArray<string>) => Deed
  heal: (segment: string) => Deed
}>

/** Why something cannot be, on either kernel. */
export const SENTENCES = {
  hostTaken: (host: string): string => `host: there is a host "${host}" already`,
  segmentTaken: (name: string): string => `segment: there is a segment "${name}" already`,
  noHost: (command: string, host: string): string =>
    `${command}: there is no host "${host}"; "host add ${host}" makes one`,
  noSegment: (command: string, name: string): string =>
    `${command}: there is no segment "${name}"; "segment add ${name}" makes one`,
  deviceTaken: (host: string, dev: string): string => `plug: host "${host}" has a device "${dev}" already`,
} as const
