// What a host has heard, and what its model was told of: transactions rest on the latter.

import { describe, expect, test } from 'vitest'
import { networkKey, networkRecord, SPACE, useKey } from '../../src/cluster/layout.ts'
import { viewOf } from '../../src/cluster/view.ts'
import { E } from '../../src/prelude.ts'
import { createNetwork, net, networkIn, obey } from '../lib/model.ts'
import { hostId } from './hosts.ts'

const KEY = networkKey(net(1))
const RECORD = networkRecord(networkIn(obey([createNetwork(1, 'wide', { scope: 'global' })]), 1))
const fresh = () => viewOf([{ key: KEY, value: RECORD, revision: 7 }], 9, hostId('a'))
const goneIn = (view: ReturnType<typeof fresh>): number => {
  const news = view.news()
  if (E.isLeft(news)) throw new Error(news.left)
  return news.right?.gone.networks.length ?? 0
}

describe('a view of what hosts share', () => {
  test('rests on nothing that was heard and not told', () => {
    const view = fresh()
    view.hear(12, [{ key: KEY, value: null }])
    expect([view.heard(), view.told(), view.revisionOf(KEY)]).toEqual([12, 9, 7])
    expect(goneIn(view)).toBe(1)
    expect([view.told(), view.revisionOf(KEY)]).toEqual([12, 0])
  })

  test('passes over what is older than what this host wrote', () => {
    const view = fresh()
    view.wrote(14, [{ key: KEY, value: null }])
    view.hear(12, [{ key: useKey(net(1)), value: 'b' }])
    view.hear(13, [{ key: KEY, value: RECORD }])
    expect([goneIn(view), view.revisionOf(KEY)]).toEqual([0, 0])
    view.hear(15, [{ key: KEY, value: RECORD }])
    view.news()
    expect(view.revisionOf(KEY)).toBe(15)
  })

  test('takes the answer to what this host wrote for no more than that', () => {
    const view = fresh()
    const ours = [
      { key: networkKey(net(2)), value: RECORD },
      { key: SPACE, value: 'a' },
    ]
    view.hear(10, ours)
    view.hear(11, [{ key: networkKey(net(2)), value: null }])
    view.hear(12, [{ key: SPACE, value: 'b' }])
    view.wrote(10, ours)
    expect([view.revisionOf(networkKey(net(2))), goneIn(view), view.revisionOf(networkKey(net(2)))]).toEqual([10, 1, 0])
    expect(view.revisionOf(SPACE)).toBe(12)
  })

  test('knows what this host wrote before it hears of it', () => {
    const view = fresh()
    const ours = [{ key: networkKey(net(2)), value: RECORD }]
    view.wrote(10, ours)
    expect(view.revisionOf(networkKey(net(2)))).toBe(10)
    view.hear(10, ours)
    expect(view.news()).toEqual(E.right(null))
  })

  test('learns the revision of what was told together, once all before was heard', () => {
    const view = fresh()
    view.hear(20, [
      { key: SPACE, value: 'b' },
      { key: KEY, value: RECORD },
    ])
    view.news()
    expect(view.revisionOf(SPACE)).toBe(20)
    view.read({ key: SPACE, value: 'b', revision: 18 })
    view.read({ key: KEY, value: RECORD, revision: 21 })
    view.news()
    expect([view.revisionOf(SPACE), view.revisionOf(KEY)]).toEqual([18, 20])
  })

  test('tells of nothing twice, and of what this host made never', () => {
    const view = fresh()
    view.hear(11, [{ key: `g/endpoint/${'1c'.padEnd(64, '0')}`, value: '{"host":"a","endpoint":{}}' }])
    expect(view.news()).toEqual(E.right(null))
    view.hear(12, [{ key: KEY, value: null }])
    expect([goneIn(view), goneIn(view)]).toEqual([1, 0])
  })

  test('says what is none of ours', () => {
    const view = fresh()
    view.hear(11, [{ key: KEY, value: '{"id":7}' }])
    expect(E.isLeft(view.news())).toBe(true)
  })
})
