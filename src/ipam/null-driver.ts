// The `null` address manager: for networks whose endpoints have no addresses of ours. One space, one pool, no state, and
// every address it gives is none.

import { E } from '../prelude.ts'
import type { Answer } from './protocol.ts'

const SPACE = 'null'
const POOLS = { 4: '0.0.0.0/0', 6: '::/0' }

export const answerNull: Answer<null> = (state, request) => {
  switch (request.Method) {
    case 'GetCapabilities':
      return E.right({ state, response: { RequiresMACAddress: false, RequiresRequestReplay: false } })
    case 'GetDefaultAddressSpaces':
      return E.right({ state, response: { LocalDefaultAddressSpace: SPACE, GlobalDefaultAddressSpace: SPACE } })
    case 'RequestPool': {
      const { AddressSpace, Pool, SubPool, V6 } = request
      if (AddressSpace !== SPACE) return E.left({ tag: 'InvalidAddressSpace', asked: AddressSpace })
      if (Pool !== '') return E.left({ tag: 'InvalidPool', asked: Pool, fault: 'nullDriver' })
      if (SubPool !== '') return E.left({ tag: 'InvalidSubPool', asked: SubPool, pool: Pool, fault: 'nullDriver' })
      const pool = POOLS[V6 ? 6 : 4]
      return E.right({ state, response: { PoolID: `${SPACE}/${pool}`, Pool: pool, Data: {} } })
    }
    case 'RequestAddress':
      return isPool(request.PoolID)
        ? E.right({ state, response: { Address: '', Data: {} } })
        : E.left({ tag: 'InvalidPoolID', asked: request.PoolID })
    case 'ReleasePool':
    case 'ReleaseAddress':
      return isPool(request.PoolID)
        ? E.right({ state, response: {} })
        : E.left({ tag: 'InvalidPoolID', asked: request.PoolID })
  }
}

const isPool = (id: string): boolean => Object.values(POOLS).some((pool) => id === `${SPACE}/${pool}`)
