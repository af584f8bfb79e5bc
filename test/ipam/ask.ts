// Conversations with the `default` address manager, in the words of its protocol, for tables of facts.

import { deepFreeze } from '../../properties/lib/ipam-random.ts'
import { answerDefault } from '../../src/ipam/default-driver.ts'
import { explainIpam, ipamErrorClass } from '../../src/ipam/error.ts'
import { readRequest, SERIAL } from '../../src/ipam/protocol.ts'
import { freshIpam } from '../../src/ipam/space.ts'
import type { Defaults, Ipam } from '../../src/ipam/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { E } from '../../src/prelude.ts'

export const pool = (Pool: string, SubPool = '', AddressSpace = 'LocalDefault') => ({
  Method: 'RequestPool',
  AddressSpace,
  Pool,
  SubPool,
})
export const pool6 = (Pool = '') => ({ ...pool(Pool), V6: true })
export const drop = (PoolID: string) => ({ Method: 'ReleasePool', PoolID })
export const get = (PoolID: string, Address = '', Options: Readonly<Record<string, string>> = {}) => ({
  Method: 'RequestAddress',
  PoolID,
  Address,
  Options,
})
export const next = (PoolID: string) => get(PoolID, '', { [SERIAL]: 'true' })
export const give = (PoolID: string, Address: string) => ({ Method: 'ReleaseAddress', PoolID, Address })

export type World = Readonly<{ defaults?: Defaults; host?: ReadonlyArray<string> }>
export type Heard = Readonly<{ answers: ReadonlyArray<string>; sentences: ReadonlyArray<string>; ipam: Ipam }>

/**
 * Each request's answer as text: the id of a pool, an address, `ok`, or a refusal as `Tag, Class`. States are frozen, and a
 * refusal leaves the one that was.
 */
export const hear = (requests: ReadonlyArray<unknown>, { defaults, host = [] }: World = {}): Heard => {
  let ipam = deepFreeze(freshIpam(defaults))
  const sentences: string[] = []
  const answers = requests.map((json) => {
    const request = readRequest(json)
    const result = E.isLeft(request) ? request : answerDefault(host.map(cidr))(ipam, request.right)
    if (E.isLeft(result)) {
      sentences.push(explainIpam(result.left))
      return `${result.left.tag}, ${ipamErrorClass[result.left.tag]}`
    }
    const { state, response } = result.right
    ipam = deepFreeze(state)
    if ('PoolID' in response) return response.PoolID
    return 'Address' in response ? response.Address : 'ok'
  })
  return { answers, sentences, ipam }
}
export const answersTo = (requests: ReadonlyArray<unknown>, world: World = {}): ReadonlyArray<string> =>
  hear(requests, world).answers

/** The rule in words, what is asked, what is answered. */
export type Row = readonly [rule: string, asked: ReadonlyArray<unknown>, answered: ReadonlyArray<string>]
