// One of the two that are told: what it answers, and where its host and containers are, so that the same questions can be asked of both.

import type { Kernel } from '../../src/kernel/kernel.ts'
import type { Lab } from '../../src/kernel-linux/names.ts'
import type { Step } from './scenario.ts'

/** A port of the host that leads to a container's. */
export type Published = Readonly<{
  container: string
  hostIp: string | null
  hostPort: number
  containerPort: number
  protocol: 'tcp' | 'udp'
}>

export type Side = Readonly<{
  name: 'dockerd' | 'cnm'
  lab: Lab
  kernel: Kernel
  /** Null: done. Otherwise the status with which it was refused, as Docker's API has it. */
  tell: (step: Step) => Promise<number | null>
  subnets: (network: string) => Promise<ReadonlyArray<string>>
  published: () => Promise<ReadonlyArray<Published>>
  /** Removes all containers and networks. */
  clear: () => Promise<void>
}>
