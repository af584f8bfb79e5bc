// Which network is a container's way out: libnetwork's total order (P13).

import { describe, expect, test } from 'vitest'
import type { Command } from '../../src/model/command.ts'
import { endpointsIn, wayOut } from '../../src/model/queries.ts'
import { box, createEndpoint, createNetwork, createSandbox, join, obey, pool } from '../lib/model.ts'

const on = (n: number, name: string, more: Parameters<typeof createNetwork>[2] = {}, priority = 0): Command[] => [
  createNetwork(n, name, more),
  createEndpoint(n, n, 'web'),
  join(n, 1, { priority }),
]
const ways = (commands: ReadonlyArray<Command>) => {
  const placed = endpointsIn(obey([createSandbox(1, 'web'), ...commands]), box(1))
  return [wayOut(placed, 4)?.network.name, wayOut(placed, 6)?.network.name]
}

describe('the way out', () => {
  test('is the network whose name comes first, whatever the order of joining', () => {
    expect(ways([...on(1, 'b'), ...on(2, 'a')])).toEqual(['a', undefined])
    expect(ways([...on(1, 'a'), ...on(2, 'b')])).toEqual(['a', undefined])
  })

  test('is the network with the highest priority before that', () => {
    expect(ways([...on(1, 'a'), ...on(2, 'b', {}, 5)])).toEqual(['b', undefined])
  })

  test('is never an internal network', () => {
    expect(ways(on(1, 'a', { internal: true }, 9))).toEqual([undefined, undefined])
    expect(ways([...on(1, 'a', { internal: true }, 9), ...on(2, 'b')])).toEqual(['b', undefined])
  })

  test('is a network with both families rather than one with one', () => {
    expect(ways([...on(1, 'a'), ...on(2, 'b', { pools: [pool(), pool('fd00:9::/64')] })])).toEqual(['b', 'b'])
  })

  test('may differ by family', () => {
    const six = on(2, 'b', { pools: [pool('fd00:9::/64')] })
    expect(ways([...on(1, 'a'), ...six])).toEqual(['a', 'b'])
  })
})
