// What netlink in process costs, beside iproute2 doing the same: making what a container's attachment needs, looking at 1,000
// links, opening a socket in another namespace, and the codec alone. Needs root; without it there are no such metrics.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { addAddress } from '../src/kernel-linux/netlink/codec/address.ts'
import {
  createLink,
  decodeLink,
  deleteLink,
  dumpLinks,
  encodeLink,
  type LinkMessage,
} from '../src/kernel-linux/netlink/codec/link.ts'
import { addRoute } from '../src/kernel-linux/netlink/codec/route.ts'
import { dump, talk } from '../src/kernel-linux/netlink/conversation.ts'
import type { Request } from '../src/kernel-linux/netlink/message.ts'
import { createNetns, deleteNetns } from '../src/kernel-linux/netlink/netns.ts'
import { openSocket, type Socket, type Turn } from '../src/kernel-linux/netlink/socket.ts'
import { cidr } from '../src/net/cidr.ts'
import { ip } from '../src/net/ip.ts'
import { mac } from '../src/net/mac.ts'
import { E, type Either } from '../src/prelude.ts'
import { type Bench, duration, type Effort, type Result, rate } from './lib.ts'

const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const run = (args: ReadonlyArray<string>, input?: string): string => {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8', input, maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
  return stdout
}

const does = async (socket: Socket, requests: ReadonlyArray<Request>, turn?: Turn): Promise<void> => {
  for (const ack of right(await talk(socket, requests, turn)()))
    if (ack.code !== 0) throw new Error(JSON.stringify(ack))
}

type Space = Readonly<{ name: string; path: string; socket: Socket }>

/** Runs a measurement in a namespace of its own. */
const inSpace = async (what: string, f: (space: Space) => Promise<Result>): Promise<Result> => {
  const name = `cnm-bench-${what}-${process.pid}`
  const path = `/run/netns/${name}`
  run(['netns', 'add', name])
  try {
    const socket = right(openSocket({ in: 'path', path }))
    try {
      return await f({ name, path, socket })
    } finally {
      await socket.close()
    }
  } finally {
    run(['netns', 'delete', name])
  }
}

const EFFORT: Effort = { rounds: 5, roundMs: 200 }
const BRIDGE = 10
const GROUP = 77

const bridge = createLink({ name: 'br0', index: BRIDGE, up: true, linkinfo: { info: { kind: 'bridge', options: {} } } })
const veth = (n: number) =>
  createLink({
    name: `v${n}`,
    index: 1000 + 2 * n,
    master: BRIDGE,
    up: true,
    group: GROUP,
    linkinfo: { info: { kind: 'veth', peer: { name: `p${n}`, index: 1001 + 2 * n } } },
  })

/** A veth pair with its master, an address on the bridge's end, and a route through it. */
const attachment = (n: number): ReadonlyArray<Request> => [
  veth(n),
  addAddress({ index: 1000 + 2 * n, cidr: cidr(`10.${n >> 8}.${n & 255}.1/24`) }),
  addRoute({ to: cidr(`11.${n >> 8}.${n & 255}.0/24`), via: ip(`10.${n >> 8}.${n & 255}.2`), oif: 1000 + 2 * n }),
]
const attachmentText = (
  n: number,
): string => `link add name v${n} master br0 up group ${GROUP} type veth peer name p${n}
address add 10.${n >> 8}.${n & 255}.1/24 dev v${n}
route add 11.${n >> 8}.${n & 255}.0/24 via 10.${n >> 8}.${n & 255}.2 dev v${n}
`

const attach = (turn: Turn) =>
  inSpace('attach', async ({ name, socket }) => {
    await does(socket, [bridge])
    let n = 0
    /** A bridge has at most 1,024 ports; the median does not see that they are taken away now and then. */
    const next = async (): Promise<number> => {
      if (n === 900) await does(socket, [deleteLink({ group: GROUP })])
      n = (n % 900) + 1
      return n
    }
    const result = await duration(
      {
        ours: async () => does(socket, attachment(await next()), turn),
        peers: { 'ip -batch': async () => run(['-n', name, '-batch', '-'], attachmentText(await next())) },
      },
      EFFORT,
    )
    await does(socket, [deleteLink({ group: GROUP })])
    return result
  })

const LINKS = 1000

const look = () =>
  inSpace('look', async ({ name, socket }) => {
    const pairs = Array.from({ length: LINKS / 2 - 1 }, (_, n) => veth(n))
    await does(socket, [bridge, ...pairs])
    const result = await duration(
      {
        ours: async () => {
          const links = right(await dump(socket, dumpLinks(), decodeLink)())
          if (links.length !== LINKS) throw new Error(`${links.length} links`)
        },
        peers: { 'ip -j -d link': () => JSON.parse(run(['-n', name, '-j', '-d', 'link', 'show'])) },
      },
      EFFORT,
    )
    await does(socket, [deleteLink({ group: GROUP })])
    return result
  })

const socketIn = () =>
  inSpace('socket', async ({ path }) => {
    const fd = openSync(path, 'r')
    try {
      return await duration({ ours: () => right(openSocket({ in: 'fd', fd })).close() }, EFFORT)
    } finally {
      closeSync(fd)
    }
  })

const namespace = () => {
  const path = `/run/netns/cnm-bench-netns-${process.pid}`
  const name = `cnm-bench-netns-ip-${process.pid}`
  return duration(
    {
      ours: () => {
        right(createNetns(path))
        right(deleteNetns(path))
      },
      peers: {
        'ip netns': () => {
          run(['netns', 'add', name])
          run(['netns', 'delete', name])
        },
      },
    },
    EFFORT,
  )
}

const roundTrip = (turn: Turn) =>
  inSpace('trip', ({ socket }) => {
    const nobody = [deleteLink({ index: 99_999 })]
    return duration({ ours: async () => right(await talk(socket, nobody, turn)()) }, EFFORT)
  })

const message: LinkMessage = {
  family: 0,
  type: 1,
  index: 1000,
  flags: 0x1003,
  change: 0,
  name: 'v1-c0ffee',
  mac: mac(0x02_42_ac_12_00_02),
  broadcast: mac(0xffff_ffff_ffff),
  mtu: 1500,
  link: 1001,
  linkNetnsid: 3,
  master: 10,
  txqlen: 1000,
  operstate: 6,
  carrier: true,
  alias: 'cnm:endpoint',
  group: 0,
  linkinfo: {
    info: { kind: 'veth' },
    slave: {
      kind: 'bridge',
      options: { state: 3, cost: 2, hairpin: false, isolated: true, learning: true, flood: true },
    },
  },
  afSpec: { inet6: { addrGenMode: 0 } },
}
const encoded = encodeLink(message)
const OPS = 1000
const times =
  (work: () => unknown): (() => void) =>
  () => {
    for (let i = 0; i < OPS; i++) work()
  }

const ofCodec: ReadonlyArray<Bench> = [
  {
    name: 'netlink.encode.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(OPS, { ours: times(() => encodeLink(message)) }),
  },
  {
    name: 'netlink.decode.rate',
    unit: '1/s',
    better: 'higher',
    run: () => rate(OPS, { ours: times(() => decodeLink(encoded)) }),
  },
]

const ofKernel: ReadonlyArray<Bench> = [
  { name: 'netlink.attach.here', unit: 'ms', better: 'lower', run: () => attach('here') },
  { name: 'netlink.attach.aside', unit: 'ms', better: 'lower', run: () => attach('aside') },
  { name: 'netlink.dump1000.ms', unit: 'ms', better: 'lower', run: look },
  { name: 'netlink.socket.ms', unit: 'ms', better: 'lower', run: socketIn },
  { name: 'netlink.netns.ms', unit: 'ms', better: 'lower', run: namespace },
  { name: 'netlink.trip.here', unit: 'ms', better: 'lower', run: () => roundTrip('here') },
  { name: 'netlink.trip.aside', unit: 'ms', better: 'lower', run: () => roundTrip('aside') },
]

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

export const benches: ReadonlyArray<Bench> = isRoot ? [...ofCodec, ...ofKernel] : ofCodec
