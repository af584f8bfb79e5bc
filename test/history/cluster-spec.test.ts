// What the spec of a cluster allows, and what not.

import { expect, test } from 'vitest'
import { check } from '../../src/history/check.ts'
import { recorder } from '../../src/history/record.ts'
import { CLUSTER, type ClusterAsk, type ClusterIn, type ClusterOut } from '../../src/history/specs/cluster.ts'
import { operationsIn } from '../lib/planted.ts'

const net = (id: string, name: string, subnet: string | null = null): ClusterAsk => ({
  do: 'create network',
  id,
  name,
  subnet,
})
const drop = (id: string): ClusterAsk => ({ do: 'delete network', id })
const end = (id: string, name: string, ip: string | null = null, host = 'a'): ClusterAsk => ({
  do: 'create endpoint',
  id,
  network: 'N',
  name,
  ip,
  host,
})
const gone = (id: string, host = 'a'): ClusterAsk => ({ do: 'delete endpoint', id, host })
const done = (...ips: ReadonlyArray<string>): ClusterOut => ({ is: 'done', ips })
const no = (why: Extract<ClusterOut, { is: 'refused' }>['why']): ClusterOut => ({ is: 'refused', why })

/** One after the other; null: nobody heard. */
const verdictOf = (...steps: ReadonlyArray<readonly [ClusterAsk, ClusterOut | null]>): string => {
  const log = recorder<ClusterIn, ClusterOut>()
  for (const [input, output] of steps) {
    const id = log.invoke('c', input)
    if (output === null) log.unknown(id)
    else log.ok(id, output)
  }
  const verdict = check(CLUSTER, operationsIn(log.history()))
  return verdict.tag === 'linearizable' ? verdict.tag : `${verdict.tag}: ${verdict.group.name}`
}
const there = [net('N', 'front'), done()] as const

test.for([
  ['a name that is free again', [there, [end('1', 'x'), done('i')], [gone('1'), done()], [end('2', 'x'), done('j')]]],
  [
    'an address that one without an answer may have',
    [there, [end('1', 'x'), null], [end('2', 'y', 'i'), no('address taken')]],
  ],
  [
    'a network that is used',
    [there, [end('1', 'x'), done('i')], [drop('N'), no('in use')], [gone('1'), done()], [drop('N'), done()]],
  ],
  [
    'a deletion that comes late',
    [there, [drop('N'), null], [end('1', 'x'), done('i')], [gone('1'), done()], [end('2', 'y'), no('no network')]],
  ],
  [
    'another name',
    [
      there,
      [end('1', 'x'), done('i')],
      [{ do: 'rename endpoint', id: '1', network: 'N', name: 'y', host: 'a' }, done()],
      [end('2', 'x'), done('j')],
    ],
  ],
  [
    'what a sandbox took along',
    [
      there,
      [end('1', 'x'), done('i')],
      [
        { do: 'delete sandbox', id: 's', host: 'a' },
        { is: 'done', gone: ['1'] },
      ],
      [end('2', 'x'), done('i')],
    ],
  ],
] satisfies ReadonlyArray<readonly [string, ReadonlyArray<readonly [ClusterAsk, ClusterOut | null]>]>)(
  '%s is allowed',
  ([, steps]) => {
    expect(verdictOf(...steps)).toBe('linearizable')
  },
)

test.for([
  ['one name twice', [there, [end('1', 'x'), done('i')], [end('2', 'x'), done('j')]], 'name x on N'],
  ['one address twice', [there, [end('1', 'x'), done('i')], [end('2', 'y', 'i', 'b'), done('i')]], 'address i on N'],
  [
    'one subnet twice',
    [
      [net('N', 'x', 's'), done()],
      [net('M', 'y', 's'), done()],
    ],
    'subnet s',
  ],
  [
    'a name that is not taken any more',
    [there, [end('1', 'x'), done('i')], [gone('1'), done()], [end('2', 'x', null, 'b'), no('name taken')]],
    'name x on N',
  ],
  ['an endpoint on no network', [there, [drop('N'), done()], [end('1', 'x'), done('i')]], 'network N'],
  ['a used network that goes', [there, [end('1', 'x'), done('i')], [drop('N'), done()]], 'network N'],
  [
    'an endpoint that another host takes away',
    [there, [end('1', 'x'), done('i')], [gone('1', 'b'), done()]],
    'endpoint 1',
  ],
  [
    'one that was lost',
    [
      there,
      [end('1', 'x'), done('i')],
      [{ do: 'look' }, { is: 'seen', networks: [{ id: 'N', name: 'front', subnet: 's' }], endpoints: [] }],
    ],
    'endpoint 1',
  ],
] satisfies ReadonlyArray<readonly [string, ReadonlyArray<readonly [ClusterAsk, ClusterOut | null]>, string]>)(
  '%s is not',
  ([, steps, where]) => {
    expect(verdictOf(...steps)).toBe(`violated: ${where}`)
  },
)
