// Servers of ZooKeeper, for tests that need them.

import { ZOOKEEPER_JAR } from '../../scripts/lib/system.mjs'
import { needs } from './need.ts'

export * from './zookeeper-servers.ts'

export const needsZookeeper = needs.programs('java', ZOOKEEPER_JAR)
