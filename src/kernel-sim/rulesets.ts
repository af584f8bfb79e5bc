// nft(8) in a namespace of a world: its script, the namespace's ruleset and interfaces, and the clock, brought together.

import type { Ns } from '../net/name.ts'
import { getIn, setIn } from '../net/pmap.ts'
import { E } from '../prelude.ts'
import { readCall, type Said } from './nft/command-line.ts'
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

/** What a file holds; null: it cannot be read. `-`: the standard input. */
export type ReadText = (path: string) => string | null

const STDIN = '-'

/** nft(8) with these words in a namespace: the world after it, and what it says. Null: there is no such namespace. */
export const nftCommand = (
  world: World,
  ns: Ns,
  words: ReadonlyArray<string>,
  read: ReadText,
): Readonly<{ world: World; said: Said }> | null => {
  const call = readCall(words)
  if (E.isLeft(call)) return { world, said: call.left }
  const { file, json, handles, numeric, check } = call.right
  const script = file === null ? call.right.script : read(file)
  if (script === null) {
    const stderr = `internal:0:0-0: Error: Could not open file "${file}": No such file or directory\n\n\n`
    return { world, said: { status: 1, stdout: '', stderr } }
  }
  const ran = nftIn(world, ns, script, { file: file === STDIN ? '/dev/stdin' : file, json, handles, numeric })
  if (ran === null) return null
  const { status, stdout, stderr } = ran.outcome
  return { world: check ? world : ran.world, said: { status, stdout, stderr } }
}
