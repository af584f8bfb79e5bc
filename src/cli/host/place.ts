// Where a verb's store is: what --store says, or the file in --state. The command line is heard before the environment.

import type { Command } from 'commander'
import { E } from '../../prelude.ts'
import { explainStore } from '../../store/error.ts'
import { parseStoreUrl } from '../../store/url.ts'

const RANK: Readonly<Record<string, number>> = { cli: 2, env: 1 }

/** Gives the command's `store` option its value: a StoreUrl. */
export const settlePlace = (command: Command): void => {
  const dir: unknown = command.getOptionValue('state')
  if (typeof dir !== 'string') return
  const [store = 0, state = 0] = ['store', 'state'].map((name) => RANK[command.getOptionValueSource(name) ?? ''] ?? 0)
  if (store > 0 && store === state) command.error('error: --store and --state name two places; say one')
  if (store <= state) {
    command.setOptionValue('store', { tag: 'lmdb', dir })
    return
  }
  const url = parseStoreUrl(String(command.getOptionValue('store')))
  if (E.isLeft(url)) command.error(`error: ${explainStore(url.left)}`)
  if (url.right.tag === 'memory') command.error('error: what memory: holds is forgotten when the verb ends')
  command.setOptionValue('store', url.right)
}
