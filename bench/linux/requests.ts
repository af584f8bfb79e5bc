// Requests a second through a published port of a host, from a neighbour of the host.

import { addAddress } from '../../src/kernel-linux/netlink/codec/address.ts'
import { changeLink, createLink } from '../../src/kernel-linux/netlink/codec/link.ts'
import { closeNetns, openNetns } from '../../src/kernel-linux/netlink/netns.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ns } from '../../src/net/name.ts'
import { CONTAINER_PORT, hostPortOf, nsOf } from './commands.ts'
import { sendTo } from './floor.ts'
import { socketIn } from './kernel.ts'
import type { Host } from './ours.ts'
import { spawnIn } from './peers/spawn.ts'
import { type Player, playerOf, roleWords } from './role.ts'
import { type Later, makeSpace, pathIn, right } from './tidy.ts'

const NEIGHBOUR = ns('neighbour')
const HOST_END = 900_001
const FAR_END = 900_002
const HOST_ADDRESS = '192.0.2.1'
const ROUNDS = 5
const ROUND_MS = 800

/** Puts a neighbour beside the host; its namespace. */
const neighbourOf = async (later: Later, { lab, path }: Host): Promise<string> => {
  const far = makeSpace(lab, NEIGHBOUR)
  const netNsFd = right(openNetns({ path: far }))
  try {
    await sendTo(socketIn(later, path), [
      createLink({
        name: 'uplink',
        index: HOST_END,
        up: true,
        linkinfo: { info: { kind: 'veth', peer: { name: 'eth0', index: FAR_END, netNsFd } } },
      }),
      addAddress({ index: HOST_END, cidr: cidr(`${HOST_ADDRESS}/30`) }),
    ])
  } finally {
    closeNetns(netNsFd)
  }
  await sendTo(socketIn(later, far), [
    changeLink({ index: FAR_END, up: true }),
    addAddress({ index: FAR_END, cidr: cidr('192.0.2.2/30') }),
  ])
  return far
}

const play = async (
  later: Later,
  bundle: string,
  path: string,
  ...role: readonly [string, ...string[]]
): Promise<Player> => {
  const child = spawnIn(path, process.execPath, roleWords(bundle, ...role), { stdio: ['pipe', 'pipe', 'inherit'] })
  later(() => child.kill('SIGKILL'))
  const player = playerOf(child)
  await player.hear()
  return player
}

/** A server in the first container of a host, and a neighbour who asks it by the port that it publishes first. */
const pairAt = async (later: Later, bundle: string, host: Host, ports: number): Promise<Player> => {
  await play(later, bundle, pathIn(host.lab, nsOf(0)), 'server', String(CONTAINER_PORT))
  const port = String(hostPortOf(0, ports, 0))
  return play(later, bundle, await neighbourOf(later, host), 'client', HOST_ADDRESS, port)
}

/** Requests a second in each round. */
export type Rates = Readonly<{ many: ReadonlyArray<number>; few: ReadonlyArray<number> }>

export const requestRates = async (later: Later, bundle: string, big: Host, small: Host): Promise<Rates> => {
  const rates = { many: [] as number[], few: [] as number[] }
  const pairs = [
    [rates.many, await pairAt(later, bundle, big, 1)],
    [rates.few, await pairAt(later, bundle, small, 1)],
  ] as const
  for (let round = -1; round < ROUNDS; round++)
    for (const [into, player] of pairs) {
      player.tell(String(ROUND_MS))
      const rate = Number(await player.hear())
      if (round >= 0) into.push(rate)
    }
  return rates
}
