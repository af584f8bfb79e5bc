// The `null` address manager: no addresses, no pools to choose from.

import { expect, test } from 'vitest'
import { answerNull } from '../../src/ipam/null-driver.ts'
import { readRequest } from '../../src/ipam/protocol.ts'
import { E } from '../../src/prelude.ts'
import { drop, get, give, pool } from './ask.ts'

const answer = (json: unknown): unknown => {
  const request = readRequest(json)
  if (E.isLeft(request)) return request.left.tag
  const result = answerNull(null, request.right)
  return E.isLeft(result) ? result.left.tag : result.right.response
}
const any = pool('', '', 'null')

test.for([
  [
    'needs neither MAC addresses nor a replay',
    { Method: 'GetCapabilities' },
    { RequiresMACAddress: false, RequiresRequestReplay: false },
  ],
  [
    'has one space',
    { Method: 'GetDefaultAddressSpaces' },
    { LocalDefaultAddressSpace: 'null', GlobalDefaultAddressSpace: 'null' },
  ],
  ['has one pool', any, { PoolID: 'null/0.0.0.0/0', Pool: '0.0.0.0/0', Data: {} }],
  ['has one pool of IPv6', { ...any, V6: true }, { PoolID: 'null/::/0', Pool: '::/0', Data: {} }],
  ['knows no other space', pool(''), 'InvalidAddressSpace'],
  ['has no pool by name', pool('10.0.0.0/8', '', 'null'), 'InvalidPool'],
  ['has no sub-pool', pool('', '10.0.0.0/8', 'null'), 'InvalidSubPool'],
  ['gives no address', get('null/0.0.0.0/0'), { Address: '', Data: {} }],
  ['gives no address that is preferred either', get('null/::/0', 'fd00::1'), { Address: '', Data: {} }],
  ['takes an address back', give('null/0.0.0.0/0', '10.0.0.1'), {}],
  ['takes a pool back', drop('null/0.0.0.0/0'), {}],
  ['gives no address of another pool', get('LocalDefault/10.0.0.0/8'), 'InvalidPoolID'],
  ['takes no address of another pool back', give('null/10.0.0.0/8', '10.0.0.1'), 'InvalidPoolID'],
  ['takes no other pool back', drop(''), 'InvalidPoolID'],
] as const)('the null manager %s', ([, asked, answered]) => {
  expect(answer(asked)).toEqual(answered)
})
