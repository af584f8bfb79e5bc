// A process to be killed: an engine on the store in the folder of the first argument, on the simulated kernel or, through the
// transport of the third argument, in the namespaces of the lab that the second names. Callers make, join, leave and remove, over
// and over (load.ts). Says what it got an answer for: `<caller> <calls answered>`.

import { openEngine } from '../../src/engine/engine.ts'
import { parseLab } from '../../src/kernel-linux/names.ts'
import { explain } from '../../src/model/error.ts'
import { hasIn } from '../../src/net/pmap.ts'
import { E, type Either } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { createNetwork, net } from '../lib/model.ts'
import { answeredBefore, CALLERS, callAt, FRONT, forgetting, kernelOf } from './load.ts'

const [dir = '', lab = null, asked = ''] = process.argv.slice(2)

const rightOf = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const transport = asked === 'netlink' ? 'netlink' : 'iproute2'
const { kernel } = kernelOf(lab === null ? null : { lab: rightOf(parseLab(lab)), transport })
const store = rightOf(await lmdbStore({ dir })())
const opened = await openEngine({ kernel, store, checkpointTurns: 50, check: true })
if (E.isLeft(opened)) throw new Error(explain(opened.left))
const engine = opened.right

const submit = async (commands: Parameters<typeof engine.submit>[0]): Promise<void> => {
  for (const answer of await engine.submit(commands)) if (E.isLeft(answer)) throw new Error(explain(answer.left))
}

const known = engine.model()
if (!hasIn(known.networks, net(FRONT))) await submit([createNetwork(FRONT, 'front')])

const callUp = async (caller: number): Promise<never> => {
  let answered = answeredBefore(known, caller)
  await submit(forgetting(known, caller))
  for (;;) {
    process.stdout.write(`${caller} ${answered}\n`)
    await submit(callAt(caller, answered).commands)
    answered += 1
  }
}

process.stdout.write('open\n')
await Promise.all(CALLERS.map(callUp))
