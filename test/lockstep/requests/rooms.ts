// The namespaces of one program on this machine's kernel. They have no names: this process holds them open, and the kernel takes
// them away when they are closed, or with the process, however it ends.
// Nothing is sent in them unasked: addresses are not looked for twice, routers not asked for, groups not told of (silence.ts). For
// tries, they are as the simulation is (unbound.ts).

import { closeSync } from 'node:fs'
import type { Errno } from '../../../src/kernel/errno.ts'
import type { NetnsRequest, Request } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import { ENOENT } from '../../../src/kernel-linux/netlink/errno.ts'
import { type NetlinkError, showNetlinkError, systemCall } from '../../../src/kernel-linux/netlink/error.ts'
import { type Libc, loadLibc } from '../../../src/kernel-linux/netlink/libc.ts'
import { openSocket, type Socket } from '../../../src/kernel-linux/netlink/socket.ts'
import { askTap } from '../../../src/kernel-linux/netlink/tap.ts'
import { HERE, openPath, within, withinNew } from '../../../src/kernel-linux/netlink/thread.ts'
import { loadNftables } from '../../../src/kernel-linux/nft/libnftables.ts'
import type { OpenSpace } from '../../../src/kernel-linux/rtnl/inside.ts'
import { hear, type Stacks, stacksFrom, type Told } from '../../../src/kernel-linux/rtnl/stack.ts'
import { askOver, writeSysctl } from '../../../src/kernel-linux/rtnl/through-netlink.ts'
import { type LinuxTraffic, openTrafficIn } from '../../../src/kernel-linux/traffic/traffic.ts'
import { derivedMac } from '../../../src/kernel-sim/control/link-facts.ts'
import { ifName, type Ns } from '../../../src/net/name.ts'
import { E, type Either } from '../../../src/prelude.ts'
import { wasBehind } from '../linkwatch.ts'
import { NO_DAD } from './quiet.ts'
import { silence } from './silence.ts'
import { unbind } from './unbound.ts'

/** A cast: a name that the simulation knows nothing of, for what it switches off is not in it. */
export const QUIET: ReadonlyArray<SysctlName> = [NO_DAD, 'net.ipv6.conf.default.router_solicitations' as SysctlName]

export type Rooms = Readonly<{
  /** Null, or the errno. */
  ask: (request: Request) => Promise<Errno | null>
  /** The stacks of all rooms; `hurry`: once linkwatch has nothing left to do in them. */
  told: (hurry: boolean) => Promise<Stacks>
  /** What nft(8) does with a script: null, or what it complains of. */
  nft: (ns: Ns, script: string) => Promise<string | null>
  /** Where tries are made; to be closed by whoever asks for it. */
  traffic: (quietMs: number) => Promise<LinuxTraffic>
  close: () => Promise<void>
}>

type Room = Readonly<{ fd: number; socket: Socket }>

/** What cannot be asked ends the run: it is no answer. */
const sure = <A>(result: Either<NetlinkError, A>): A => {
  if (E.isLeft(result)) throw new Error(showNetlinkError(result.left))
  return result.right
}

const pathOf = ({ fd }: Room): string => `/proc/self/fd/${fd}`

const write = async (room: Room, ns: Ns, name: SysctlName, value: string): Promise<Errno | null> => {
  const result = await writeSysctl(pathOf(room), ns, { on: 'sysctl', do: 'write', name, value })
  if (E.isLeft(result)) throw new Error(result.left.what)
  return result.right?.errno ?? null
}

const opened = async (libc: Libc, ns: Ns): Promise<Room> => {
  const fd = sure(sure(withinNew(libc, () => openPath(HERE))))
  const room = { fd, socket: sure(openSocket({ in: 'fd', fd })) }
  await silence(fd)
  for (const name of QUIET) {
    const errno = await write(room, ns, name, '0')
    if (errno !== null) throw new Error(`${name}: ${errno}`)
  }
  return room
}

/**
 * A namespace that is taken apart loses its rules before its devices, which would then say that they leave their groups. They go down
 * on the way anyhow.
 */
const stilled = async (room: Room): Promise<void> => {
  const none: OpenSpace = (ns) => E.left(systemCall('open', ENOENT, ns))
  const { links } = sure(await hear(none, [], 'here')(room.socket))
  for (const { name } of links)
    if (name !== undefined)
      await askOver(none, { on: 'link', do: 'set', dev: ifName(name), up: false }, 'here')(room.socket)
}

const closed = async ({ fd, socket }: Room): Promise<void> => {
  await socket.close()
  closeSync(fd)
}

export const openRooms = (): Rooms => {
  const libc = sure(loadLibc())
  const rooms = new Map<Ns, Room>()
  const open: OpenSpace = (ns) => {
    const room = rooms.get(ns)
    return room === undefined ? E.left(systemCall('open', ENOENT, ns)) : openPath(pathOf(room))
  }

  /** As ip-netns(8) does with names: it knows nothing of what else is in a namespace. */
  const askSpace = async (ns: Ns, ask: NetnsRequest): Promise<Errno | null> => {
    const room = rooms.get(ns)
    if (ask.do === 'add') {
      if (room !== undefined) return 'EEXIST'
      rooms.set(ns, await opened(libc, ns))
      return null
    }
    if (room === undefined) return 'ENOENT'
    await stilled(room)
    rooms.delete(ns)
    await closed(room)
    return null
  }

  const hearAll = async (): Promise<ReadonlyMap<Ns, Told>> => {
    const heard = new Map<Ns, Told>()
    for (const [ns, { socket }] of rooms) heard.set(ns, sure(await hear(open, [...rooms.keys()], 'here')(socket)))
    return heard
  }

  return {
    ask: async ({ ns, ask }) => {
      if (ask.on === 'netns') return askSpace(ns, ask)
      const room = rooms.get(ns)
      if (room === undefined) return 'ENOENT'
      if (ask.on === 'tap') {
        const errno = sure(askTap(pathOf(room), ask))?.errno ?? null
        if (errno !== null || ask.do === 'delete') return errno
        // It has drawn a MAC; of all that it could have been, this one the simulation derives.
        const drawn = { on: 'link', do: 'set', dev: ask.dev, mac: derivedMac('', ns, ask.dev) } as const
        return sure(await askOver(open, drawn, 'here')(room.socket))?.errno ?? null
      }
      if (ask.on === 'sysctl') return write(room, ns, ask.name, ask.value)
      return sure(await askOver(open, ask, 'here')(room.socket))?.errno ?? null
    },
    told: async (hurry) => {
      for (;;) {
        const heard = await hearAll()
        const watched = [...rooms].map(([ns, { socket }]) => ({ socket, links: heard.get(ns)?.links ?? [] }))
        if (!hurry || !(await wasBehind(watched))) return stacksFrom(heard)
      }
    },
    nft: async (ns, script) => {
      const room = rooms.get(ns)
      if (room === undefined) return 'there is no such namespace'
      const context = sure(sure(within(libc, room.fd, () => sure(loadNftables()).open())))
      const said = await context.run(script, 'here')
      // It waits for what it freed.
      void context.free()
      return E.isLeft(said) ? said.left : null
    },
    traffic: async (quietMs) => {
      for (const { fd } of rooms.values()) sure(unbind(libc, fd))
      const opened = openTrafficIn(new Map([...rooms].map(([ns, room]) => [ns, pathOf(room)])), { quietMs })
      if (E.isLeft(opened)) throw new Error(opened.left.what)
      return opened.right
    },
    close: async () => {
      const all = [...rooms.values()]
      rooms.clear()
      for (const room of all) await closed(room)
    },
  }
}
