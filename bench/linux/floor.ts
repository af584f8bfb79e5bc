// The floor: what the kernel must be told, sent raw, with nothing remembered, decided or compared. It leaves the kernel in the
// state in which ours leaves it, by the fewest messages that do so: in as few sends, and each on the main thread.

import { writeFileSync } from 'node:fs'
import { TABLE } from '../../src/kernel/firewall/skeleton.ts'
import { skeletonText } from '../../src/kernel/firewall/text.ts'
import { ROUTE_PROTO } from '../../src/kernel/print.ts'
import type { Lab } from '../../src/kernel-linux/names.ts'
import { addAddress } from '../../src/kernel-linux/netlink/codec/address.ts'
import { changeLink, createLink, decodeLink, deleteLink, dumpLinks } from '../../src/kernel-linux/netlink/codec/link.ts'
import { addRoute } from '../../src/kernel-linux/netlink/codec/route.ts'
import { dump, talk } from '../../src/kernel-linux/netlink/conversation.ts'
import { loadLibc } from '../../src/kernel-linux/netlink/libc.ts'
import type { Request } from '../../src/kernel-linux/netlink/message.ts'
import { closeNetns, createNetns, deleteNetns, openNetns } from '../../src/kernel-linux/netlink/netns.ts'
import { openSocket, type Socket } from '../../src/kernel-linux/netlink/socket.ts'
import { within } from '../../src/kernel-linux/netlink/thread.ts'
import { cidr, DEFAULT4 } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { type Mac, mac } from '../../src/net/mac.ts'
import { ns } from '../../src/net/name.ts'
import { CONTAINER_PORT, hostPortOf, nsOf } from './commands.ts'
import { type Contender, each, type Needs } from './contender.ts'
import { socketIn } from './kernel.ts'
import { type Nft, nftIn } from './nft.ts'
import { upTo } from './ours.ts'
import { type Later, labFor, makeSpace, pathIn, right } from './tidy.ts'

const BRIDGE = 10
const GROUP = 77
const NAME = 'br0'
const GATEWAY = ip('10.100.0.1')
const LO = 1

const outside = (n: number): number => 1000 + 2 * n
const inside = (n: number): number => outside(n) + 1
const addressOf = (n: number): string => `10.100.${(n >> 7) + 1}.${(n & 127) + 2}`
const macOf = (end: number): Mac => mac(0x02_42_00_00_00_00 + end)

export const sendTo = async (socket: Socket, requests: ReadonlyArray<Request>): Promise<void> => {
  for (const ack of right(await talk(socket, requests, 'here')()))
    if (ack.code !== 0) throw new Error(JSON.stringify(ack))
}

const bridge: ReadonlyArray<Request> = [
  createLink({
    name: NAME,
    index: BRIDGE,
    mac: macOf(1),
    up: true,
    linkinfo: { info: { kind: 'bridge', options: {} } },
  }),
  changeLink({ index: BRIDGE, mtu: 1500, alias: 'cnm:network/0' }),
  addAddress({ index: BRIDGE, cidr: cidr('10.100.0.1/16') }),
]
const unbridge: ReadonlyArray<Request> = [deleteLink({ index: BRIDGE })]

/** The elements of a network, as `create` and `delete` take them. */
const OF_NETWORK = [
  ['bridges', `"${NAME}"`],
  ['within', `"${NAME}" . "${NAME}"`],
  ['subnet4', `"${NAME}" . 10.100.0.0/16`],
  ['masquerade4', '10.100.0.0/16'],
] as const
const networkElements = (verb: 'create' | 'delete'): string =>
  OF_NETWORK.map(([set, key]) => `${verb} element inet ${TABLE} ${set} { ${key} }`).join('\n')

/** What the host and a bridge are set to; a deleted bridge takes its own along. */
const WITH_NETWORK: Settings = [
  ['ipv4/ip_forward', '1'],
  [`ipv6/conf/${NAME}/accept_ra`, '0'],
  [`ipv4/conf/${NAME}/route_localnet`, '1'],
]
const WITHOUT: Settings = [['ipv4/ip_forward', '0']]

type Settings = ReadonlyArray<readonly [name: string, value: string]>

/** In the namespace of a path: /proc/sys/net is that of the thread that looks. */
const set = (path: string, settings: Settings): void => {
  const fd = right(openNetns({ path }))
  const write = (): void => {
    for (const [name, value] of settings) writeFileSync(`/proc/sys/net/${name}`, value)
  }
  right(within(right(loadLibc()), fd, write))
  closeNetns(fd)
}

const hostRequests = (n: number, netNsFd: number, master: number): ReadonlyArray<Request> => [
  createLink({
    name: `v${n}`,
    index: outside(n),
    mac: macOf(outside(n)),
    mtu: 1500,
    master,
    up: true,
    group: GROUP,
    linkinfo: {
      info: { kind: 'veth', peer: { name: 'eth0', index: inside(n), mac: macOf(inside(n)), mtu: 1500, netNsFd } },
    },
  }),
  changeLink({
    index: outside(n),
    alias: `cnm:endpoint/${n}`,
    linkinfo: { slave: { kind: 'bridge', options: { hairpin: true } } },
  }),
]
const insideRequests = (n: number): ReadonlyArray<Request> => [
  changeLink({ index: inside(n), up: true }),
  addAddress({ index: inside(n), cidr: cidr(`${addressOf(n)}/16`) }),
  addRoute({ to: DEFAULT4, via: GATEWAY, oif: inside(n), protocol: ROUTE_PROTO }),
]

const keysOf = (n: number, ports: number): ReadonlyArray<string> =>
  Array.from({ length: ports }, (_, i) => `tcp . ${hostPortOf(n, ports, i)}`)
const publish = (containers: ReadonlyArray<number>, ports: number): string => {
  const elements = containers.flatMap((n) =>
    keysOf(n, ports).map((key, i) => `${key} : ${addressOf(n)} . ${CONTAINER_PORT + i}`),
  )
  return `create element inet ${TABLE} publish4_any { ${elements.join(', ')} }`
}
const withdraw = (containers: ReadonlyArray<number>, ports: number): string =>
  `delete element inet ${TABLE} publish4_any { ${containers.flatMap((n) => keysOf(n, ports)).join(', ')} }`

type Space = Readonly<{ n: number; path: string }>

/** Links in one send for all, then each container's inside, then the firewall in one transaction. */
const attachAll = async (
  socket: Socket,
  nft: Nft,
  spaces: ReadonlyArray<Space>,
  ports: number,
  master = BRIDGE,
): Promise<void> => {
  const opened = spaces.map(({ n, path }) => ({ n, fd: right(openNetns({ path })) }))
  try {
    await sendTo(
      socket,
      opened.flatMap(({ n, fd }) => hostRequests(n, fd, master)),
    )
    for (const { n, fd } of opened) {
      const there = right(openSocket({ in: 'fd', fd }))
      try {
        await sendTo(there, insideRequests(n))
      } finally {
        await there.close()
      }
    }
  } finally {
    for (const { fd } of opened) closeNetns(fd)
  }
  await nft.run(
    publish(
      spaces.map(({ n }) => n),
      ports,
    ),
  )
}

type Ground = Readonly<{ socket: Socket; nft: Nft; path: string; spaceOf: (n: number) => string }>

const groundFor = async (later: Later, what: string): Promise<Ground> => {
  const lab = labFor(later, `${what}-floor`)
  const path = makeSpace(lab)
  const socket = socketIn(later, path)
  const nft = nftIn(later, path)
  await nft.run(`create table inet ${TABLE}\n${skeletonText()}`)
  return { socket, nft, path, spaceOf: (n) => pathIn(lab, nsOf(n)) }
}

export const openFloor = async (later: Later, { what, containers, ports }: Needs): Promise<Contender> => {
  const { socket, nft, path, spaceOf } = await groundFor(later, what)
  await sendTo(socket, bridge)
  await nft.run(networkElements('create'))
  for (const n of upTo(containers)) right(createNetns(spaceOf(n)))
  return {
    name: 'floor',
    host: path,
    attach: (some) =>
      attachAll(
        socket,
        nft,
        some.map((n) => ({ n, path: spaceOf(n) })),
        ports,
      ),
    detach: async (some) => {
      await nft.run(withdraw(some, ports))
      await sendTo(
        socket,
        some.length === containers
          ? [deleteLink({ group: GROUP })]
          : some.map((n) => deleteLink({ index: outside(n) })),
      )
    },
  }
}

const loUp = async (path: string): Promise<void> => {
  const there = right(openSocket({ in: 'path', path }))
  try {
    await sendTo(there, [changeLink({ index: LO, up: true })])
  } finally {
    await there.close()
  }
}

/** With the namespace, which goes with its links: nobody waits for the kernel. */
export const openWholeFloor = async (later: Later, { what, ports }: Needs): Promise<Contender> => {
  const { socket, nft, path, spaceOf } = await groundFor(later, what)
  await sendTo(socket, bridge)
  await nft.run(networkElements('create'))
  return {
    name: 'floor',
    host: path,
    attach: each(async (n) => {
      const space = spaceOf(n)
      right(createNetns(space))
      await loUp(space)
      set(space, WITHOUT)
      await attachAll(socket, nft, [{ n, path: space }], ports)
    }),
    detach: async (some) => {
      await nft.run(withdraw(some, ports))
      for (const n of some) right(deleteNetns(spaceOf(n)))
    },
  }
}

/** Networks are numbered. */
export type Networks = Readonly<{
  name: string
  create: (n: number) => Promise<unknown>
  remove: (n: number) => Promise<unknown>
}>

export const openFloorNetworks = async (later: Later, what: string): Promise<Networks> => {
  const { socket, nft, path } = await groundFor(later, what)
  return {
    name: 'floor',
    create: async () => {
      await sendTo(socket, bridge)
      set(path, WITH_NETWORK)
      await nft.run(networkElements('create'))
    },
    remove: async () => {
      await nft.run(networkElements('delete'))
      set(path, WITHOUT)
      await sendTo(socket, unbridge)
    },
  }
}

/** A container that comes and goes on the bridge of somebody else, who does not look meanwhile. */
export const openBeside = async (later: Later, host: Readonly<{ lab: Lab; path: string }>) => {
  const socket = socketIn(later, host.path)
  const nft = nftIn(later, host.path)
  const path = makeSpace(host.lab, ns('beside'))
  const links = right(await dump(socket, dumpLinks(), decodeLink)())
  const master = links.find(({ linkinfo }) => linkinfo?.info?.kind === 'bridge')?.index ?? 0
  return {
    attach: (n: number) => attachAll(socket, nft, [{ n, path }], 1, master),
    detach: async (n: number) => {
      await nft.run(withdraw([n], 1))
      await sendTo(socket, [deleteLink({ index: outside(n) })])
    },
  }
}
