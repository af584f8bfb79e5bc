// Servers of etcd, for tests that need them.

import { needs } from './need.ts'

export * from './etcd-servers.ts'

export const needsEtcd = needs.programs('etcd', 'setpriv')
