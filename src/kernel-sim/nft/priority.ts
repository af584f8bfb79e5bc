// Names for the priorities of base chains, which depend on the family and the hook.
// Source: nft(8) "CHAINS", tables "Standard priority names"; nftables src/rule.c (std_prio_lookup).

import type { Family, Hook } from './ruleset.ts'

type Standard = Readonly<{ name: string; value: number; only: Hook | null }>

const INET: ReadonlyArray<Standard> = [
  { name: 'raw', value: -300, only: null },
  { name: 'mangle', value: -150, only: null },
  { name: 'dstnat', value: -100, only: 'prerouting' },
  { name: 'filter', value: 0, only: null },
  { name: 'security', value: 50, only: null },
  { name: 'srcnat', value: 100, only: 'postrouting' },
]
const BRIDGE: ReadonlyArray<Standard> = [
  { name: 'dstnat', value: -300, only: 'prerouting' },
  { name: 'filter', value: -200, only: null },
  { name: 'out', value: 100, only: 'output' },
  { name: 'srcnat', value: 300, only: 'postrouting' },
]
const FILTER: ReadonlyArray<Standard> = [{ name: 'filter', value: 0, only: null }]

const STANDARD: Readonly<Record<Family, ReadonlyArray<Standard>>> = {
  ip: INET,
  ip6: INET,
  inet: INET,
  bridge: BRIDGE,
  arp: FILTER,
  netdev: FILTER,
}

const standardFor = (family: Family, hook: Hook): ReadonlyArray<Standard> =>
  STANDARD[family].filter(({ only }) => only === null || only === hook)

/** The value of a name; null if there is no such name there. */
export const priorityNamed = (family: Family, hook: Hook, name: string): number | null =>
  standardFor(family, hook).find((each) => each.name === name)?.value ?? null

/** As far from a name a priority is still told by it. */
const NEAR = 10

/** `filter`, `raw - 1`, or a number. */
export const showPriority = (family: Family, hook: Hook, priority: number): string => {
  const near = standardFor(family, hook).find(({ value }) => Math.abs(priority - value) <= NEAR)
  if (near === undefined) return String(priority)
  const difference = priority - near.value
  if (difference === 0) return near.name
  return `${near.name} ${difference > 0 ? '+' : '-'} ${Math.abs(difference)}`
}
