// Histories by hand: what is one, what its verdict is, and how it is told.

import { describe, expect, test } from 'vitest'
import { check } from '../../src/history/check.ts'
import { explainHistory, type History, operationsOf } from '../../src/history/event.ts'
import { explain } from '../../src/history/explain.ts'
import { explainLine, readHistory, writeHistory } from '../../src/history/lines.ts'
import { type Recorder, recorder } from '../../src/history/record.ts'
import { showExplanation } from '../../src/history/show.ts'
import type { Spec } from '../../src/history/spec.ts'
import { OBJECTS, type ObjectIn, type ObjectOut } from '../../src/history/specs/objects.ts'
import { type PoolIn, type PoolOut, poolSpec } from '../../src/history/specs/pool.ts'
import { STORE, type StoreIn, type StoreOut } from '../../src/history/specs/store.ts'
import { E } from '../../src/prelude.ts'
import { operationsIn } from '../lib/planted.ts'

const POOL = poolSpec(() => ['10.0.0.1', '10.0.0.2'])

const historyOf = <In, Out>(tell: (to: Recorder<In, Out>) => void): History<In, Out> => {
  const log = recorder<In, Out>()
  tell(log)
  return log.history()
}
/** One operation after the other. */
const inTurn = <In, Out>(log: Recorder<In, Out>, client: string, input: In, output: Out): void =>
  log.ok(log.invoke(client, input), output)

const verdict = <State, In, Out>(spec: Spec<State, In, Out>, history: History<In, Out>): string =>
  check(spec, operationsIn(history)).tag

const told = <State, In, Out>(spec: Spec<State, In, Out>, history: History<In, Out>): string => {
  const found = check(spec, operationsIn(history))
  return found.tag === 'violated' ? `\n${showExplanation(spec, explain(spec, found.group))}` : found.tag
}

const put = (key: string, value: string): StoreIn => ({ do: 'transact', compares: [], writes: [{ key, value }] })
const get = (key: string): StoreIn => ({ do: 'get', key })
const entry = (key: string, value: string, revision: number): StoreOut => ({ entry: { key, value, revision } })

describe('a history', () => {
  test.for([
    [
      'an id twice',
      [
        { tag: 'invoke', id: 1, client: 'a', input: 0 },
        { tag: 'ok', id: 1, output: 0 },
        { tag: 'invoke', id: 1, client: 'a', input: 0 },
      ],
      'event 3 of the history invokes operation 1, which was invoked before; give each one an id of its own',
    ],
    [
      'an end without a beginning',
      [{ tag: 'ok', id: 7, output: 0 }],
      'event 1 of the history ends operation 7 (ok), which is not under way; each one is invoked first and ends once',
    ],
    [
      'two ends',
      [
        { tag: 'invoke', id: 1, client: 'a', input: 0 },
        { tag: 'fail', id: 1 },
        { tag: 'unknown', id: 1 },
      ],
      'event 3 of the history ends operation 1 (unknown), which is not under way; each one is invoked first and ends once',
    ],
    [
      'a client that does two things at once',
      [
        { tag: 'invoke', id: 1, client: 'a', input: 0 },
        { tag: 'invoke', id: 2, client: 'a', input: 0 },
      ],
      'event 2 of the history: client "a" invokes operation 2 before the end of its operation 1; take a client for each thread of calls',
    ],
  ] as const)('with %s is none', ([, history, sentence]) => {
    const operations = operationsOf<number, number>(history)
    expect(E.isLeft(operations) && explainHistory(operations.left)).toBe(sentence)
  })

  test('leaves out what failed, and never ends what is unknown or still under way', () => {
    const history = historyOf<number, number>((log) => {
      log.fail(log.invoke('a', 1))
      log.unknown(log.invoke('a', 2))
      inTurn(log, 'a', 3, 30)
      log.invoke('b', 4)
    })
    expect(
      operationsIn(history).map(({ input, output, returned, required }) => [input, output, returned, required]),
    ).toEqual([
      [2, undefined, Infinity, false],
      [3, 30, 5, true],
      [4, undefined, Infinity, false],
    ])
  })
})

describe('lines of a history', () => {
  const whole = (value: unknown) => (typeof value === 'number' ? E.right(value) : E.left('a number'))
  const read = (text: string | undefined) => readHistory(text ?? '', whole, whole)

  test('are read back as they were written', () => {
    const history = historyOf<number, number>((log) => {
      inTurn(log, 'a', 1, 10)
      log.fail(log.invoke('a', 2))
      log.unknown(log.invoke('b', 3))
    })
    expect(read(writeHistory(history))).toEqual(E.right(history))
  })

  test.for([
    ['nonsense\n', 'line 1 of the history is not JSON'],
    ['[1]\n', 'line 1 of the history is not an object'],
    [
      '{"tag":"fail","id":1}\n{"tag":"gone","id":2}\n',
      'line 2 of the history has "gone" for a tag; invoke, ok, fail and unknown are known',
    ],
    ['{"tag":"fail"}\n', 'line 1 of the history has none for an id; a whole number is needed'],
    ['{"tag":"fail","id":0.5}\n', 'line 1 of the history has 0.5 for an id; a whole number is needed'],
    ['{"tag":"invoke","id":1,"input":3}\n', 'line 1 of the history has none for a client; a string is needed'],
    ['{"tag":"invoke","id":1,"client":"a","input":"x"}\n', 'line 1 of the history has an input that is not a number'],
    ['{"tag":"ok","id":1}\n', 'line 1 of the history has an output that is not a number'],
    ['{"tag":"fail","id":1}\n{"tag":"fa', 'line 2 of the history is cut off'],
  ])('that are wrong are named: %s', ([text, sentence]) => {
    const history = read(text)
    expect(E.isLeft(history) && explainLine(history.left)).toBe(sentence)
  })
})

describe('what nobody heard the end of', () => {
  const unheard = (later: StoreOut) =>
    historyOf<StoreIn, StoreOut>((log) => {
      log.unknown(log.invoke('a', put('x', 'new')))
      inTurn(log, 'b', get('x'), { entry: null })
      inTurn(log, 'b', get('x'), later)
    })

  test('may happen later', () => expect(verdict(STORE, unheard(entry('x', 'new', 5)))).toBe('linearizable'))
  test('may never happen', () => expect(verdict(STORE, unheard({ entry: null }))).toBe('linearizable'))
  test('writes what was asked and nothing else', () =>
    expect(verdict(STORE, unheard(entry('x', 'other', 5)))).toBe('violated'))

  test('happens once', () => {
    const twice = historyOf<StoreIn, StoreOut>((log) => {
      log.unknown(log.invoke('a', put('x', 'new')))
      inTurn(log, 'b', get('x'), entry('x', 'new', 1))
      inTurn(log, 'b', put('x', 'newer'), { revision: 2 })
      inTurn(log, 'b', get('x'), entry('x', 'new', 3))
    })
    expect(verdict(STORE, twice)).toBe('violated')
  })

  test('an allocation excuses one address that is taken, and not two', () => {
    const taken = (ips: ReadonlyArray<string>) =>
      historyOf<PoolIn, PoolOut>((log) => {
        log.unknown(log.invoke('a', { do: 'allocate', pool: 'p' }))
        for (const ip of ips) inTurn(log, 'b', { do: 'take', pool: 'p', ip }, 'taken')
      })
    expect(verdict(POOL, taken(['10.0.0.2']))).toBe('linearizable')
    expect(verdict(POOL, taken(['10.0.0.1', '10.0.0.2']))).toBe('violated')
  })

  test('two that are the same may both have happened', () => {
    const deleted = (times: number) =>
      historyOf<ObjectIn, ObjectOut>((log) => {
        for (const client of ['a', 'b'])
          log.unknown(log.invoke(client, { do: 'create', kind: 'network', id: '1', name: 'front' }))
        for (let i = 0; i < times; i++) inTurn(log, 'c', { do: 'delete', kind: 'network', id: '1' }, 'done')
      })
    expect(verdict(OBJECTS, deleted(2))).toBe('linearizable')
    expect(verdict(OBJECTS, deleted(3))).toBe('violated')
  })

  test('either of two may have come first, where only one of them can come later', () => {
    const history = historyOf<StoreIn, StoreOut>((log) => {
      const writes = [{ key: 'x', value: 'v' }]
      log.unknown(log.invoke('early', { do: 'transact', compares: [{ key: 'y', revision: 0 }], writes }))
      log.unknown(log.invoke('any', { do: 'transact', compares: [], writes }))
      inTurn(log, 'c', get('x'), entry('x', 'v', 1))
      inTurn(log, 'c', put('y', 'there'), { revision: 2 })
      inTurn(log, 'c', put('x', 'other'), { revision: 3 })
      inTurn(log, 'c', get('x'), entry('x', 'v', 4))
    })
    expect(verdict(STORE, history)).toBe('linearizable')
  })

  test('a hundred of them, of which one explains what was read, are no trouble', () => {
    const history = historyOf<StoreIn, StoreOut>((log) => {
      for (let i = 0; i < 100; i++) log.unknown(log.invoke(`w${i}`, put('x', `${i}`)))
      inTurn(log, 'b', get('x'), entry('x', '42', 9))
      inTurn(log, 'b', get('x'), entry('x', '43', 10))
    })
    expect(check(STORE, operationsIn(history), { maxSteps: 10_000 }).tag).toBe('linearizable')
  })
})

describe('the budget', () => {
  const hard = historyOf<StoreIn, StoreOut>((log) => {
    const all = Array.from({ length: 12 }, (_, i) => log.invoke(`c${i}`, put('x', `${i}`)))
    for (const [i, id] of all.entries()) log.ok(id, { revision: i + 1 })
    inTurn(log, 'r', get('x'), entry('x', '3', 4))
  })

  test('ends a search without a verdict', () => {
    expect(check(STORE, operationsIn(hard), { maxSteps: 5 }).tag).toBe('undecided')
    expect(check(STORE, operationsIn(hard)).tag).toBe('violated')
  })

  test('of one object keeps none of the others from being found wrong', () => {
    const both = historyOf<StoreIn, StoreOut>((log) => {
      for (let i = 1; i < 20; i++) inTurn(log, 'a', put('long', `${i}`), { revision: i })
      inTurn(log, 'a', get('never'), entry('never', 'x', 1))
    })
    expect(check(STORE, operationsIn(both), { maxSteps: 5 }).tag).toBe('violated')
  })
})

describe('a violation is told', () => {
  test('a stale read', () => {
    const history = historyOf<StoreIn, StoreOut>((log) => {
      for (let i = 1; i < 30; i++) inTurn(log, 'a', put('x', `${i}`), { revision: i })
      const slow = log.invoke('b', get('x'))
      inTurn(log, 'c', put('x', 'last'), { revision: 30 })
      inTurn(log, 'a', put('y', 'other'), { revision: 31 })
      log.ok(slow, entry('x', '28', 28))
    })
    expect(told(STORE, history)).toMatchInlineSnapshot(`
      "
      key x is not linearizable: there is no place for
        b: get x: "28" at 28

      a  ├ x="28": at 28 ┤ ├ x="29": at 29 ┤
      b                                      ├ get x: "28" at 28 ┤

      Without it, the others fit in this order:
        a: x="28": at 28
        a: x="29": at 29
      Shown: 3 of 31 operations. Whatever is believed of the others, these do not fit together.
      "
    `)
  })

  test('an address that two have', () => {
    const history = historyOf<PoolIn, PoolOut>((log) => {
      const one = log.invoke('a', { do: 'allocate', pool: 'p' })
      const other = log.invoke('b', { do: 'allocate', pool: 'p' })
      log.ok(one, { ip: '10.0.0.1' })
      log.unknown(log.invoke('c', { do: 'release', pool: 'p', ip: '10.0.0.2' }))
      log.ok(other, { ip: '10.0.0.1' })
      inTurn(log, 'a', { do: 'release', pool: 'p', ip: '10.0.0.1' }, 'done')
    })
    expect(told(POOL, history)).toMatchInlineSnapshot(`
      "
      pool p 10.0.0.1 is not linearizable: there is no place for
        b: allocate p: 10.0.0.1

      a  ├ allocate p: 10.0.0.1 ┤
      b    ├ allocate p: 10.0.0.1 ┤

      Without it, the others fit in this order:
        a: allocate p: 10.0.0.1
      Shown: 2 of 3 operations. Whatever is believed of the others, these do not fit together.
      "
    `)
  })

  test('a delete that was lost', () => {
    const history = historyOf<ObjectIn, ObjectOut>((log) => {
      inTurn(log, 'a', { do: 'create', kind: 'network', id: '1', name: 'front' }, 'done')
      inTurn(log, 'b', { do: 'create', kind: 'network', id: '2', name: 'back' }, 'done')
      inTurn(log, 'b', { do: 'delete', kind: 'network', id: '1' }, 'done')
      log.unknown(log.invoke('b', { do: 'delete', kind: 'network', id: '2' }))
      inTurn(log, 'a', { do: 'find', kind: 'network', name: 'front' }, { id: '1' })
    })
    expect(told(OBJECTS, history)).toMatchInlineSnapshot(`
      "
      network "front" is not linearizable: there is no place for
        a: find network named "front": 1

      a  ├ create network 1 named "front": done ┤                            ├ find network named "front": 1 ┤
      b                                           ├ delete network 1: done ┤

      Without it, the others fit in this order:
        a: create network 1 named "front": done
        b: delete network 1: done
      Shown: 3 of 3 operations. Whatever is believed of the others, these do not fit together.
      "
    `)
  })

  test('an answer that nothing can explain', () => {
    const history = historyOf<StoreIn, StoreOut>((log) => {
      inTurn(log, 'a', put('x', '1'), { revision: 1 })
      inTurn(log, 'a', get('x'), entry('x', 'never written', 1))
    })
    expect(told(STORE, history)).toMatchInlineSnapshot(`
      "
      key x is not linearizable: there is no place for
        a: get x: "never written" at 1

      a  ├ get x: "never written" at 1 ┤

      It fits nowhere, even alone.
      Shown: 1 of 2 operations. Whatever is believed of the others, these do not fit together.
      "
    `)
  })

  test('of a history that is longer than a look back, what is before is believed', () => {
    const history = historyOf<StoreIn, StoreOut>((log) => {
      for (let i = 1; i < 300; i++) inTurn(log, 'a', put('x', `${i}`), { revision: i })
      inTurn(log, 'b', get('x'), { entry: null })
    })
    const found = check(STORE, operationsIn(history))
    if (found.tag !== 'violated') throw new Error(found.tag)
    const explanation = explain(STORE, found.group, { maxSteps: 100_000, reach: 100 })
    expect(explanation.believed).toBe(200)
    expect(explanation.operations.length).toBeLessThanOrEqual(2)
    expect(showExplanation(STORE, explanation)).toContain('after the first 200')
  })
})
