// What the callers of a process that is killed do, over and over, and how far the model says one of them has come. They make and
// remove containers with published ports, and networks, and attach and detach a container that stays.

import type { Kernel } from '../../src/kernel/kernel.ts'
import { type LinuxOptions, linuxKernel } from '../../src/kernel-linux/linux.ts'
import { type Lab, labNames } from '../../src/kernel-linux/names.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import type { Command } from '../../src/model/command.ts'
import { endpointIdsIn } from '../../src/model/queries.ts'
import type { Model } from '../../src/model/types.ts'
import { getIn, hasIn } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, net, pool } from '../lib/model.ts'

/** Where an engine works: in the namespaces of a lab. Null: on the simulated kernel. */
export type Ground = Readonly<{ lab: Lab; transport: NonNullable<LinuxOptions['transport']> }> | null

/** `close` ends what was started for it. */
export const kernelOf = (ground: Ground): Readonly<{ kernel: Kernel; close: () => Promise<void> }> => {
  if (ground === null) return { kernel: simKernel(), close: async () => {} }
  const kernel = linuxKernel({ names: labNames(ground.lab), transport: ground.transport })
  return { kernel, close: kernel.close }
}

/** The network that most containers are on; those of callers have their numbers. */
export const FRONT = 1
export const CALLERS: ReadonlyArray<number> = [2, 3, 4, 5, 6, 7, 8, 9]

const publishing = (caller: number, n: number) =>
  createSandbox(caller, `c${caller}`, {
    hostname: `n${n}`,
    ports: [
      {
        hostIp: null,
        hostPorts: { from: port(8000 + caller), to: port(8000 + caller) },
        containerPort: port(80),
        transport: 'tcp',
      },
      { hostIp: null, hostPorts: null, containerPort: port(53), transport: 'udp' },
    ],
  })

/** One turn: a container that publishes two ports, its endpoint, and the two joined. */
const container = (caller: number, n: number, on: number): ReadonlyArray<Command> => [
  publishing(caller, n),
  createEndpoint(caller, on, `c${caller}`),
  join(caller, caller),
]
const attached = (caller: number): ReadonlyArray<Command> => [
  createEndpoint(caller, FRONT, `c${caller}`),
  join(caller, caller),
]
const detached = (caller: number): ReadonlyArray<Command> => [
  leave(caller, caller),
  { tag: 'DeleteEndpoint', id: end(caller), force: false },
]
const gone = (caller: number): ReadonlyArray<Command> => [{ tag: 'DeleteSandbox', id: box(caller) }]

/** One call, and what there is of the caller afterwards. `n` tells a round from the others. */
type Call = Readonly<{ commands: ReadonlyArray<Command>; leaves: string }>

const CONTAINER = (caller: number, n: number): ReadonlyArray<Call> => [
  { commands: container(caller, n, FRONT), leaves: `n${n} joined` },
  { commands: gone(caller), leaves: '' },
]
const NETWORK = (caller: number, n: number): ReadonlyArray<Call> => [
  {
    commands: [createNetwork(caller, `own${caller}`, { pools: [pool(), pool(`fd00:${caller}::/64`)] })],
    leaves: 'network',
  },
  { commands: container(caller, n, caller), leaves: `network n${n} joined` },
  { commands: gone(caller), leaves: 'network' },
  { commands: [{ tag: 'DeleteNetwork', id: net(caller) }], leaves: '' },
]
const MOVING = (caller: number, n: number): ReadonlyArray<Call> => [
  { commands: [publishing(caller, n)], leaves: `n${n}` },
  { commands: attached(caller), leaves: `n${n} joined` },
  { commands: detached(caller), leaves: `n${n}` },
  { commands: attached(caller), leaves: `n${n} joined` },
  { commands: gone(caller), leaves: '' },
]

const roundOf = (caller: number) => [CONTAINER, CONTAINER, NETWORK, MOVING][caller % 4] ?? CONTAINER

/** The call that a caller makes when so many are answered. */
export const callAt = (caller: number, answered: number): Call => {
  const { length } = roundOf(caller)(caller, 0)
  const call = roundOf(caller)(caller, Math.floor(answered / length) + 1)[answered % length]
  if (call === undefined) throw new Error('a round has calls')
  return call
}

/** What a model holds of a caller, when so many of its calls are answered. */
export const leftAfter = (caller: number, answered: number): string =>
  answered === 0 ? '' : callAt(caller, answered - 1).leaves

/** All that a caller may leave behind, whatever the round. */
export const wholes = (caller: number): ReadonlyArray<string> => [
  '',
  ...roundOf(caller)(caller, 0).map((call) => call.leaves),
]
export const anyRound = (left: string): string => left.replace(/n\d+/, 'n0')

/** What a model holds of a caller. */
export const leftOfCaller = (model: Model, caller: number): string => {
  const sandbox = getIn(model.sandboxes, box(caller))
  const endpoint = getIn(model.endpoints, end(caller))
  return [
    ...(hasIn(model.networks, net(caller)) ? ['network'] : []),
    ...(sandbox === undefined ? [] : [sandbox.hostname]),
    ...(endpoint === undefined
      ? []
      : [endpointIdsIn(model, box(caller)).includes(endpoint.id) ? 'joined' : 'endpoint']),
  ].join(' ')
}

/** Takes away what a former life of the caller has left. */
export const forgetting = (model: Model, caller: number): ReadonlyArray<Command> => [
  ...(hasIn(model.sandboxes, box(caller)) ? gone(caller) : []),
  ...(hasIn(model.networks, net(caller)) ? [{ tag: 'DeleteNetwork', id: net(caller) } as const] : []),
]

/** How many calls a caller of a new life counts as answered: its rounds are others than those of the life before. */
export const answeredBefore = (model: Model, caller: number): number =>
  roundOf(caller)(caller, 0).length * Number(getIn(model.sandboxes, box(caller))?.hostname.slice(1) ?? 0)
