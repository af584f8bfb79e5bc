// Ports that are withdrawn, on both kernels: who talked through one is not taken to its container any more, though it goes on from
// the same socket, and conversations through other ports go on.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { diff } from '../../src/kernel/diff.ts'
import { publishElement } from '../../src/kernel/firewall/elements.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { EMPTY_STATE, stateOf } from '../../src/kernel/state.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { receive } from '../../src/kernel-sim/datapath/device.ts'
import { run } from '../../src/kernel-sim/datapath/loop.ts'
import { spaceOf } from '../../src/kernel-sim/datapath/plane.ts'
import { openUdp, sendUdp } from '../../src/kernel-sim/datapath/socket/datagram.ts'
import { DEFAULTS } from '../../src/kernel-sim/datapath/socket/entry.ts'
import { removeSocket } from '../../src/kernel-sim/datapath/socket/table.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { onWorld } from '../../src/kernel-sim/datapath/world.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { ip, isIp4 } from '../../src/net/ip.ts'
import { HOST, type Ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { needs } from '../lib/need.ts'
import { labKernel, rightOf, TRANSPORTS, type TransportName } from './labs.ts'
import { talkTo, waitAt } from './programs.ts'
import { API, container4, container6, DB, TWO_NETWORKS, WEB } from './topology.ts'

const DNS = 53
const LAST = { web: 2, api: 3 } as const
type Who = keyof typeof LAST

/** Ports of the host and who is behind them: each of every IPv4 and IPv6 address, and of one address. */
type Ports = Readonly<{ all: Who | null; one: Who | null }>
const ALL = { moved: 5301, kept: 5302 } as const
const ONE = 5303

const publish = (at: string, hostPort: number, who: Who): KernelObject => {
  const host = ip(at)
  const inside = isIp4(host) ? container4(1, LAST[who]) : container6(1, LAST[who])
  return publishElement(HOST, { ip: host, port: port(hostPort) }, 'udp', { ip: inside, port: port(DNS) })
}

const network = ({ all, one }: Ports): ReadonlyArray<KernelObject> => [
  ...TWO_NETWORKS,
  publish('0.0.0.0', ALL.kept, 'web'),
  publish('::', ALL.kept, 'web'),
  ...(all === null ? [] : [publish('0.0.0.0', ALL.moved, all), publish('::', ALL.moved, all)]),
  ...(one === null ? [] : [publish('172.32.0.1', ONE, one), publish('fd00:2::1', ONE, one)]),
]

/** Who asks, and whom: from the host and from a container of another network, in both families. */
const CLIENTS = [
  { from: HOST, to: '172.31.0.1', port: ALL.moved },
  { from: DB, to: '172.32.0.1', port: ALL.moved },
  { from: DB, to: 'fd00:2::1', port: ALL.moved },
  { from: DB, to: '172.32.0.1', port: ONE },
  { from: HOST, to: 'fd00:2::1', port: ONE },
  { from: DB, to: '172.32.0.1', port: ALL.kept },
  { from: HOST, to: 'fd00:2::1', port: ALL.kept },
] as const
type Client = (typeof CLIENTS)[number]

/** Asks once from each client's socket, which is always the same: who answers, or what else. */
type AskAll = () => Promise<ReadonlyArray<string>>

const story = (kernel: () => Kernel, askAll: AskAll): void => {
  let there = EMPTY_STATE
  const become = async (ports: Ports): Promise<void> => {
    const wanted = stateOf(network(ports))
    rightOf(await kernel().apply(diff(there, wanted))())
    there = wanted
  }
  beforeAll(() => become({ all: 'web', one: 'web' }))

  test('a port belongs to its container', async () => {
    expect(await askAll()).toEqual(['web', 'web', 'web', 'web', 'web', 'web', 'web'])
  })

  test('one that is another’s now takes everybody there', async () => {
    await become({ all: 'api', one: 'web' })
    expect(await askAll()).toEqual(['api', 'api', 'api', 'web', 'web', 'web', 'web'])
  })

  test('one that is withdrawn leads nowhere', async () => {
    await become({ all: 'api', one: null })
    expect(await askAll()).toEqual(['api', 'api', 'api', 'nobody', 'nobody', 'web', 'web'])
    await become({ all: null, one: 'api' })
    expect(await askAll()).toEqual(['nobody', 'nobody', 'nobody', 'api', 'api', 'web', 'web'])
  })
}

describe('on the simulated kernel', () => {
  const kernel = simKernel(EMPTY_WORLD)
  const SOURCE = 40_000

  const askOnce = ({ from, to, port: at }: Client, n: number): string => {
    const { world, result } = onWorld(PARTS, kernel.world(), (plane, host) => {
      const open = (ns: Ns, family: 4 | 6 | null, own: number) => {
        const space = spaceOf(plane, host, ns)
        const binding = { family, ip: null, port: own, options: DEFAULTS }
        const socket = space === null ? 'ENONET' : openUdp(space, binding, null)
        if (space === null || typeof socket === 'string') throw new Error(`${ns}: ${socket}`)
        return { space, socket }
      }
      const servers = { web: open(WEB, null, DNS), api: open(API, null, DNS) }
      const client = open(from, isIp4(ip(to)) ? 4 : 6, SOURCE + n)
      sendUdp(client.space, client.socket, { ip: ip(to), port: at }, Uint8Array.of(n))
      const untilMs = plane.nowMs + 1000
      run(plane, receive, Number.POSITIVE_INFINITY, () => (plane.pending[0]?.atMs ?? untilMs) >= untilMs)
      const heard = (['web', 'api'] as const).find((who) => servers[who].socket.inbox.length > 0)
      for (const { space, socket } of [servers.web, servers.api, client]) removeSocket(space, socket)
      return heard ?? 'nobody'
    })
    kernel.reset(world)
    return result
  }
  story(
    () => kernel,
    async () => CLIENTS.map(askOnce),
  )
})

const onLinux = (transport: TransportName) => (): void => {
  const { lab, kernel, close } = labKernel(`withdrawn-${transport}`, transport)
  const names = labNames(lab)
  const ends: Array<() => Promise<void>> = []
  const clients: Array<() => Promise<string>> = []
  const start = async (): Promise<void> => {
    for (const [of, says] of [
      [WEB, 'web'],
      [API, 'api'],
    ] as const)
      ends.push(await waitAt(names(of) ?? '', [{ transport: 'udp', address: '::', port: DNS, says }]))
    for (const { from, to, port: at } of CLIENTS) {
      const { ask, end } = await talkTo(names(from) ?? '', to, at)
      clients.push(ask)
      ends.push(end)
    }
  }
  const askAll: AskAll = async () => {
    if (clients.length === 0) await start()
    const answers = await Promise.all(clients.map((ask) => ask()))
    return answers.map((answer) => (answer === 'silence' || answer.startsWith('E') ? 'nobody' : answer))
  }
  afterAll(async () => {
    for (const end of ends) await end()
    await close()
  })
  story(() => kernel, askAll)
}

for (const transport of TRANSPORTS) needs.kernel(`on Linux, through ${transport}`, onLinux(transport))
