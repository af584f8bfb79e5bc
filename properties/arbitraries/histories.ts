// Histories of a few operations whose answers may be true or not: each operation begins and ends somewhere, and what it
// answers is drawn from what could be.

import fc from 'fast-check'
import type { Operation } from '../../src/history/event.ts'
import type { ObjectIn, ObjectOut } from '../../src/history/specs/objects.ts'
import type { PoolIn, PoolOut } from '../../src/history/specs/pool.ts'
import type { StoreIn, StoreOut } from '../../src/history/specs/store.ts'

type Asked<In, Out> = Readonly<{ input: In; output: Out }>

/** One in four ends unknown. Times are whole numbers that no two events share. */
const operations = <In, Out>(
  asked: fc.Arbitrary<Asked<In, Out>>,
  most: number,
): fc.Arbitrary<ReadonlyArray<Operation<In, Out>>> =>
  fc
    .array(fc.record({ asked, from: fc.nat(11), lasts: fc.nat(5), fate: fc.nat(3) }), { minLength: 1, maxLength: most })
    .map((all) =>
      all
        .map(({ asked: { input, output }, from, lasts, fate }, id): Operation<In, Out> => {
          const times = { called: from + id / 100, returned: from + lasts + 0.5 + id / 100 }
          const known = { id, client: `c${id}`, input, output, ...times, required: true }
          return fate > 0 ? known : { ...known, output: undefined, returned: Infinity, required: false }
        })
        .sort((a, b) => a.called - b.called),
    )

const pick = fc.constantFrom
const POOL = 'p'
const IPS = ['10.0.0.1', '10.0.0.2'] as const
const address = pick(...IPS)

export const poolOperations = operations<PoolIn, PoolOut>(
  fc.oneof(
    { weight: 4, arbitrary: address.map((ip) => ({ input: { do: 'allocate', pool: POOL } as const, output: { ip } })) },
    { weight: 1, arbitrary: fc.constant({ input: { do: 'allocate', pool: POOL } as const, output: 'full' as const }) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(address, pick('done', 'taken'))
        .map(([ip, output]) => ({ input: { do: 'take', pool: POOL, ip } as const, output })),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(address, pick('done', 'done', 'free'))
        .map(([ip, output]) => ({ input: { do: 'release', pool: POOL, ip } as const, output })),
    },
    {
      weight: 1,
      arbitrary: fc.subarray([...IPS]).map((ips) => ({ input: { do: 'list', pool: POOL } as const, output: { ips } })),
    },
  ),
  6,
)

const name = pick('a', 'b')
const id = pick('1', '2')
export const objectOperations = operations<ObjectIn, ObjectOut>(
  fc.oneof(
    fc.tuple(name, id, pick('done', 'done', 'exists')).map(([name, id, output]) => ({
      input: { do: 'create', kind: 'network', id, name } as const,
      output,
    })),
    fc
      .tuple(id, pick('done', 'done', 'absent'))
      .map(([id, output]) => ({ input: { do: 'delete', kind: 'network', id } as const, output })),
    fc
      .tuple(
        name,
        fc.oneof(
          fc.constant('absent' as const),
          id.map((id) => ({ id })),
        ),
      )
      .map(([name, output]) => ({
        input: { do: 'find', kind: 'network', name } as const,
        output,
      })),
  ),
  6,
)

const key = pick('a', 'b')
const revision = fc.nat(3)
const value = pick('x', 'y')
const write = fc.record({ key, value: fc.option(value, { freq: 4 }) })
const writes = fc.uniqueArray(write, { selector: (each) => each.key, maxLength: 2 })
const entry = fc.record({ key, value, revision: fc.integer({ min: 1, max: 3 }) })

export const storeOperations = operations<StoreIn, StoreOut>(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.tuple(writes, revision).map(([writes, revision]) => ({
        input: { do: 'transact', compares: [], writes } as const,
        output: { revision },
      })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ key, revision, write, answer: fc.option(revision, { freq: 2 }) })
        .map(({ key, revision, write, answer }) => ({
          input: { do: 'transact', compares: [{ key, revision }], writes: [write] } as const,
          output: answer === null ? { conflict: key } : { revision: answer },
        })),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(key, fc.option(entry, { freq: 3 })).map(([key, found]) => ({
        input: { do: 'get', key } as const,
        output: { entry: found === null ? null : { ...found, key } },
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.uniqueArray(entry, { selector: ({ key }) => key, maxLength: 2 }), revision)
        .map(([entries, revision]) => ({
          input: { do: 'list', prefix: '' } as const,
          output: { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)), revision },
        })),
    },
  ),
  5,
)
