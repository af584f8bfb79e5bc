// Which keys with intervals are too near each other to be in one set.
// Sources: net/netfilter/nft_set_pipapo.c (nft_pipapo_insert), nftables src/intervals.c (set_overlap).

import { compareDatum, type Datum } from './datatype.ts'
import type { Interval } from './expression.ts'
import { descend, levelOf } from './level.ts'

type Key = ReadonlyArray<Interval>

/** The two ends of a key: all that the kernel looks at in a concatenation, so that one around a smaller one may come in after it. */
export const endsOf = (key: Key): readonly [ReadonlyArray<Datum>, ReadonlyArray<Datum>] => [
  key.map(({ from }) => from),
  key.map(({ to }) => to),
]

/** Of keys of concatenations, all different: whether an end of one lies in one before it. */
export const clashingWithEarlier = (keys: ReadonlyArray<Key>): ((at: number) => boolean) => {
  const level = levelOf(
    keys.map((key, order) => ({ key, order })),
    0,
    keys[0]?.length ?? 0,
  )
  return (at) => endsOf(keys[at] ?? []).some((end) => descend(level, end).some(({ order }) => order < at))
}

/** Of keys of one part: the first, by its beginning, that overlaps one before it and is not the same; null if there is none. */
export const overlapping = <A extends Readonly<{ key: Key }>>(items: ReadonlyArray<A>): A | null => {
  const sorted = items.toSorted((a, b) => compareDatum(firstOf(a).from, firstOf(b).from))
  let reach = sorted[0]
  for (const item of sorted.slice(1)) {
    if (reach === undefined) break
    const [one, two] = [firstOf(reach), firstOf(item)]
    if (compareDatum(two.from, one.to) <= 0 && !(one.from === two.from && one.to === two.to)) return item
    if (compareDatum(two.to, one.to) > 0) reach = item
  }
  return null
}

const NO_INTERVAL: Interval = { from: 0, to: 0 }
const firstOf = ({ key }: Readonly<{ key: Key }>): Interval => key[0] ?? NO_INTERVAL
