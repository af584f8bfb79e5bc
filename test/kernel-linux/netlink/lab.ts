// Namespaces of the netlink tests, made with ip-netns(8), sockets in them, and the second witness: what iproute2 says.

import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { findBinary } from '../../../scripts/lib/system.mjs'
import type { LinkInfo } from '../../../src/kernel-linux/netlink/codec/kinds.ts'
import { createLink, deleteLink } from '../../../src/kernel-linux/netlink/codec/link.ts'
import { talk } from '../../../src/kernel-linux/netlink/conversation.ts'
import type { Request } from '../../../src/kernel-linux/netlink/message.ts'
import type { Ack } from '../../../src/kernel-linux/netlink/refusal.ts'
import { openSocket, type Socket } from '../../../src/kernel-linux/netlink/socket.ts'
import { gate, type Missing } from '../../lib/need.ts'
import { ownNamespace } from '../../lib/own-names.ts'
import { rightOf } from '../labs.ts'

export type Json = Readonly<Record<string, unknown>>

export const run = (program: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** What iproute2 prints with -j: a list of objects, or nothing. */
export const json = (text: string): ReadonlyArray<Json> => {
  const value: unknown = text.trim() === '' ? [] : JSON.parse(text)
  if (!Array.isArray(value)) throw new Error(`not a list: ${text}`)
  return value
}

export type Space = Readonly<{
  name: string
  path: string
  socket: Socket
  /** What `ip -j -d ...` says there. */
  ip: (...args: ReadonlyArray<string>) => ReadonlyArray<Json>
  bridge: (...args: ReadonlyArray<string>) => ReadonlyArray<Json>
  /** Sends requests, all of which must be done. */
  does: (...requests: ReadonlyArray<Request>) => Promise<void>
  /** Sends one, and gives its answer. */
  answer: (request: Request) => Promise<Ack>
  /** The index of a link, as `ip` says. */
  index: (dev: string) => number
  /** An open file of another namespace, for requests; closed with this one. */
  fdOf: (other: Space) => number
  close: () => Promise<void>
}>

export const space = (what: string): Space => {
  const name = ownNamespace(`nl-${what}`)
  run('ip', 'netns', 'add', name)
  const path = `/run/netns/${name}`
  const socket = rightOf(openSocket({ in: 'path', path }))
  const fds: number[] = []
  const ip: Space['ip'] = (...args) => json(run('ip', '-n', name, '-j', '-d', ...args))
  return {
    name,
    path,
    socket,
    ip,
    bridge: (...args) => json(run('bridge', '-n', name, '-j', '-d', ...args)),
    does: async (...requests) => {
      const acks = rightOf(await talk(socket, requests)())
      acks.forEach((ack, at) => {
        if (ack.code !== 0) throw new Error(`request ${at} was refused: ${JSON.stringify(ack)}`)
      })
    },
    answer: async (request) => {
      const [ack] = rightOf(await talk(socket, [request])())
      if (ack === undefined) throw new Error('no answer')
      return ack
    },
    index: (dev) => Number(ip('link', 'show', 'dev', dev)[0]?.['ifindex']),
    fdOf: (other) => {
      const fd = openSync(other.path, 'r')
      fds.push(fd)
      return fd
    },
    close: async () => {
      await socket.close()
      for (const fd of fds) closeSync(fd)
      run('ip', 'netns', 'delete', name)
    },
  }
}

/** Whether this kernel can make links of a kind, found out by making one. `below`: it needs a device to sit on. */
export const missingKind = async (what: string, info: LinkInfo, below: boolean): Promise<Missing> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || findBinary('ip') === null)
    return 'root and ip on Linux'
  const there = space(`kind-${info.kind}`)
  try {
    if (below)
      await there.does(createLink({ name: 'below', index: 50, linkinfo: { info: { kind: 'bridge', options: {} } } }))
    const ack = await there.answer(
      createLink({ name: 'trial', index: 51, ...(below ? { link: 50 } : {}), linkinfo: { info } }),
    )
    if (ack.code === 0) await there.does(deleteLink({ index: 51 }))
    return ack.code === 0 ? null : `a kernel with ${what} (${ack.text ?? ack.errno})`
  } finally {
    await there.close()
  }
}

/** A `describe` whose tests run only where the kernel has the kind, `what` in words. */
export const needsKind = async (what: string, info: LinkInfo, below = false): Promise<ReturnType<typeof gate>> => {
  const missing = await missingKind(what, info, below)
  // A kind that this kernel lacks is said in the summary, in CI too: no machine of ours has them all.
  return gate(() => missing, false)
}
