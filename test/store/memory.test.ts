// The memory store keeps the contract of stores.

import { describe } from 'vitest'
import { memoryStore } from '../../src/store/memory.ts'
import { storeContract } from './contract.ts'

describe('the memory store', () => storeContract(async (options) => memoryStore(options)))
