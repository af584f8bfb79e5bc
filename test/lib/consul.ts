// Servers of Consul, for tests that need them.

import { needs } from './need.ts'

export * from './consul-servers.ts'

export const needsConsul = needs.consul
