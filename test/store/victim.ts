// A process that works on the store of a directory until it is killed, and tells of each thing it knows to be done.
//   write DIR    8 callers, each in turn writes its next number under two keys; a line `caller number` for each answer
//   hold DIR     opens the store, says `open` or why not, and waits
//   fill DIR     writes until it is refused, says `refused` and why; goes on for a line on stdin, says `again`

import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { put, right } from './lib.ts'

const [, , act, dir = ''] = process.argv

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}

/** Of all sizes, so that values come and go on pages of their own. */
const padding = (n: number): string => '.'.repeat((n * 7919) % 9000)

const write = async (store: Store): Promise<void> => {
  const caller = async (name: number): Promise<void> => {
    const entry = await right(store.get(`${name}/left`))
    let revision = entry?.revision ?? 0
    for (let n = Number.parseInt(entry?.value ?? '0', 10) + 1; ; n++) {
      revision = await right(
        store.transact({
          compares: [{ key: `${name}/left`, revision }],
          writes: [
            { key: `${name}/left`, value: `${n}` },
            { key: `${name}/pad/${n % 5}`, value: n % 3 === 0 ? null : padding(n) },
            { key: `${name}/right`, value: `${n}` },
          ],
        }),
      )
      say(`${name} ${n}`)
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, name) => caller(name)))
}

const fill = async (store: Store): Promise<void> => {
  for (let n = 1; ; n++) {
    const outcome = await store.transact(put(`${n}`, padding(7)))()
    if (E.isRight(outcome)) {
      say(`wrote ${n}`)
      continue
    }
    say(`refused ${explainStore(outcome.left)}`)
    break
  }
  say(`read ${(await right(store.list(''))).entries.length}`)
  await once(process.stdin, 'data')
  await right(store.transact(put('again', 'x')))
  await store.close()
  say('again')
  process.exit(0)
}

const store = await lmdbStore({ dir })()
if (E.isLeft(store)) say(`refused ${explainStore(store.left)}`)
else if (act === 'write') await write(store.right)
else if (act === 'fill') await fill(store.right)
else {
  say('open')
  setInterval(() => {}, 1000)
}
