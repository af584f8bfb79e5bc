// What a host has heard, when the answer to what it wrote comes behind the news of what others made of it.

import { expect, test } from 'vitest'
import { networkKey, networkRecord, SPACE } from '../../src/cluster/layout.ts'
import { viewOf } from '../../src/cluster/view.ts'
import { E } from '../../src/prelude.ts'
import { createNetwork, net, networkIn, obey } from '../lib/model.ts'
import { hostId } from './hosts.ts'

const recordOf = (n: number, name: string) =>
  networkRecord(networkIn(obey([createNetwork(n, name, { scope: 'global' })]), n))

test('the answer to what a host wrote says nothing of what others have made of it since', () => {
  const view = viewOf([], 9, hostId('a'))
  const ours = [
    { key: networkKey(net(1)), value: recordOf(1, 'red') },
    { key: SPACE, value: 'a' },
  ]
  view.hear(10, ours)
  view.hear(11, [{ key: networkKey(net(1)), value: null }])
  view.hear(12, [{ key: SPACE, value: 'b' }])
  view.wrote(10, ours)
  expect(view.news()).toMatchObject(E.right({ networks: [], gone: { networks: [net(1)] } }))
  expect(view.revisionOf(networkKey(net(1)))).toBe(0)
  expect(view.revisionOf(SPACE)).toBe(12)
})

test('what a host wrote it knows before it hears of it, and is no news to it', () => {
  const view = viewOf([], 9, hostId('a'))
  const ours = [{ key: networkKey(net(1)), value: recordOf(1, 'red') }]
  view.wrote(10, ours)
  expect(view.revisionOf(networkKey(net(1)))).toBe(10)
  view.hear(10, ours)
  expect(view.news()).toEqual(E.right(null))
})

test('what was heard, and the model was not told of yet, is nothing that it decided on', () => {
  const view = viewOf([{ key: SPACE, value: 'b', revision: 7 }], 9, hostId('a'))
  view.hear(10, [
    { key: networkKey(net(1)), value: recordOf(1, 'red') },
    { key: SPACE, value: 'b' },
  ])
  expect([view.revisionOf(SPACE), view.revisionOf(networkKey(net(1))), view.heard(), view.told()]).toEqual([
    7, 0, 10, 9,
  ])
  view.news()
  expect([view.revisionOf(SPACE), view.revisionOf(networkKey(net(1))), view.told()]).toEqual([10, 10, 10])
})
