// A process to be killed: an engine on the store in the folder of the first argument, on the simulated kernel or on the
// namespaces of the lab that the second names, and eight callers who make a container that joins a network, and remove it,
// over and over. Says what it got an answer for: `<caller> made|gone <n>`.

import { openEngine } from '../../src/engine/engine.ts'
import { explain } from '../../src/model/error.ts'
import { hasIn } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { box, createNetwork, net } from '../lib/model.ts'
import { CALLERS, kernelOf, makeContainer, numberOf } from './load.ts'

const [dir = '', lab = null] = process.argv.slice(2)

const store = await lmdbStore({ dir })()
if (E.isLeft(store)) throw new Error(explainStore(store.left))
const opened = await openEngine({ kernel: kernelOf(lab), store: store.right, checkpointTurns: 50, check: true })
if (E.isLeft(opened)) throw new Error(explain(opened.left))
const engine = opened.right

const submit = async (commands: Parameters<typeof engine.submit>[0]): Promise<void> => {
  for (const answer of await engine.submit(commands)) if (E.isLeft(answer)) throw new Error(explain(answer.left))
}

const known = engine.model()
if (!hasIn(known.networks, net(1))) await submit([createNetwork(1, 'front')])

/** Goes on where the last life of this caller ended. */
const call = async (caller: number): Promise<never> => {
  let n = numberOf(known, caller)
  if (hasIn(known.sandboxes, box(caller))) {
    await submit([{ tag: 'DeleteSandbox', id: box(caller) }])
    process.stdout.write(`${caller} gone ${n}\n`)
  }
  for (;;) {
    n += 1
    await submit(makeContainer(caller, n))
    process.stdout.write(`${caller} made ${n}\n`)
    await submit([{ tag: 'DeleteSandbox', id: box(caller) }])
    process.stdout.write(`${caller} gone ${n}\n`)
  }
}

process.stdout.write('open\n')
await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller + 1)))
