// Hosts that are not heard of are cleared by others, which nobody asked for: what that takes from them is written down where it happens, at the
// store, for the history to be judged.

import { CLAIM, fenceKey, presenceKey, readKey } from '../cluster/layout.ts'
import type { Recorder } from '../history/record.ts'
import type { ClusterIn, ClusterOut } from '../history/specs/cluster.ts'
import type { HostId } from '../model/types.ts'
import { E } from '../prelude.ts'
import type { MemoryStore } from '../store/memory.ts'
import type { Transaction } from '../store/store.ts'

type Log = Pick<Recorder<ClusterIn, ClusterOut>, 'invoke' | 'ok' | 'fail'>
export type Clearing = Extract<ClusterIn, { do: 'clear' }>

const ADDRESS = `${CLAIM}address/`

/** Only who clears a host rests on its being neither there nor about to be. Null: it is no clearing, or takes nothing. */
export const clearingIn = ({ compares, writes }: Transaction, hosts: ReadonlyArray<HostId>): Clearing | null => {
  const absent = new Set(compares.filter(({ revision }) => revision === 0).map(({ key }) => key))
  const host = hosts.find((each) => absent.has(presenceKey(each)) && absent.has(fenceKey(each)))
  if (host === undefined) return null
  const endpoints: { id: string; ips: string[] }[] = []
  // Behind each record comes what it claims.
  for (const { key } of writes) {
    const about = readKey(key)
    if (about?.of === 'endpoint') endpoints.push({ id: about.id, ips: [] })
    else if (key.startsWith(ADDRESS)) endpoints.at(-1)?.ips.push(key.slice(key.lastIndexOf('/') + 1))
  }
  return endpoints.length === 0 ? null : { do: 'clear', host, endpoints }
}

/** The store, as `by` has it; `tell`: what was done. */
export const withClearings = (
  store: MemoryStore,
  by: HostId,
  hosts: ReadonlyArray<HostId>,
  log: Log,
  tell: (clearing: Clearing) => void,
): MemoryStore => ({
  ...store,
  transact: (transaction) => {
    const clearing = clearingIn(transaction, hosts)
    if (clearing === null) return store.transact(transaction)
    return async () => {
      const id = log.invoke(`${by} clears`, clearing)
      const done = await store.transact(transaction)()
      if (E.isRight(done)) {
        log.ok(id, { is: 'done' })
        tell(clearing)
      } else log.fail(id)
      return done
    }
  },
})
