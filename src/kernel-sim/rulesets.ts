// nft(8) in a namespace of a world: its script, the namespace's ruleset and interfaces, and the clock, brought together.

import type { Ns } from '../net/name.ts'
import { getIn, setIn } from '../net/pmap.ts'
import type { Host } from './nft/datatype.ts'
import { nft, type Options, type Outcome } from './nft/nft.ts'
import { EMPTY_RULESET } from './nft/ruleset.ts'
import { type NsEntry, nsWith, type World } from './state.ts'

/** What a namespace says of its interfaces. */
export const interfacesOf = ({ links, indexes }: Pick<NsEntry, 'links' | 'indexes'>): Host => ({
  indexOf: (name) => getIn(links, name)?.index ?? null,
  nameOf: (index) => getIn(indexes, String(index)) ?? null,
})

/** The world after a script, and what nft says; null: there is no such namespace. */
export const nftIn = (
  world: World,
  ns: Ns,
  script: string,
  options: Options,
): Readonly<{ world: World; outcome: Outcome }> | null => {
  const entry = getIn(world.namespaces, ns)
  if (entry === undefined) return null
  const before = entry.firewall ?? EMPTY_RULESET
  const outcome = nft(before, script, { host: interfacesOf(entry), nowMs: world.nowMs }, options)
  if (outcome.ruleset === before) return { world, outcome }
  const namespaces = setIn(world.namespaces, ns, nsWith(entry, { firewall: outcome.ruleset }))
  return { world: { ...world, namespaces }, outcome }
}
