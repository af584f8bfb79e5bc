// A request goes to the kernel as the very message that ip(8) or bridge(8) sends: strace(1) sees what that is.
// Not compared: the mark on nested attributes, the NUL behind texts, nests without anything in them, and the order of attributes,
// none of which the kernel looks at here.

import { spawnSync } from 'node:child_process'
import { afterAll, expect, test } from 'vitest'
import { findBinary } from '../../../scripts/lib/system.mjs'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import { labNames } from '../../../src/kernel-linux/names.ts'
import { decodeAttrs } from '../../../src/kernel-linux/netlink/attr.ts'
import { decodeRoute } from '../../../src/kernel-linux/netlink/codec/route.ts'
import { decodeMessages, messageSize, writeMessage } from '../../../src/kernel-linux/netlink/message.ts'
import { messageOf } from '../../../src/kernel-linux/rtnl/messages.ts'
import { gate } from '../../lib/need.ts'
import { json } from '../netlink/lab.ts'
import type { Group } from './case.ts'
import { GROUPS } from './cases.ts'
import { DUMMIES, IPVLANS, VLAN_LINKS } from './link-cases.ts'
import { vlans as VLANS } from './port-cases.ts'
import { H, sideOf, WORLD } from './world.ts'

const side = sideOf('messages', 'netlink')
const real = labNames(side.lab)

const RTM_GETLINK = 18
const NLM_F_ACK_AND_REQUEST = 5
/** Bytes of the header behind which attributes begin, by the type of message: links, addresses, routes, neighbours, rules. */
const HEADERS: Readonly<Record<number, number>> = { 4: 16, 5: 8, 6: 12, 7: 12, 8: 12 }
const ROUTES = 6
const RTA_MULTIPATH = 9
const IFLA_LINKINFO = 18
const IFLA_INFO_DATA = 2
/** Descriptors have other numbers in another process. */
const IFLA_NET_NS_FD = 28

type Tree = Readonly<{ type: number; value: string | ReadonlyArray<Tree> }>

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bare = (bytes: Uint8Array): string => hex(bytes).replace(/^((?:[2-7][0-9a-f])+)00$/, '$1')

/** Which attributes hold others, by their path; a veth's peer has a header of its own. */
const holds = (family: number, path: string): number | null => {
  if (family !== 4) return null
  if (/^(18|18\/2|26|26\/10|12)$/.test(path)) return 0
  return path === `${IFLA_LINKINFO}/${IFLA_INFO_DATA}/1/veth` ? 16 : null
}

const treeOf = (family: number, bytes: Uint8Array, path: string, kind: string): ReadonlyArray<Tree> => {
  const attrs = decodeAttrs(bytes)
  if (attrs === null) throw new Error(`not attributes: ${hex(bytes)}`)
  return attrs
    .map(({ type, payload }): Tree => {
      const here = path === '' ? `${type}` : `${path}/${type}`
      const skip = holds(family, here === '18/2/1' ? `${here}/${kind}` : here)
      if (skip === null) return { type, value: type === IFLA_NET_NS_FD ? 'a namespace' : bare(payload) }
      const inner = type === IFLA_LINKINFO ? Buffer.from(payload.subarray(4, 12)).toString('latin1') : kind
      return { type, value: treeOf(family, payload.subarray(skip), here, inner.replace(/[^a-z].*/s, '')) }
    })
    .filter(({ value }) => value.length > 0 || typeof value === 'string')
    .sort((a, b) => a.type - b.type || (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** A message in a form that can be compared. */
const shape = (bytes: Uint8Array) => {
  const [message] = decodeMessages(bytes) ?? []
  if (message === undefined) throw new Error(`no message: ${hex(bytes)}`)
  const family = message.type >> 2
  const size = HEADERS[family] ?? 0
  const attrs = treeOf(family, message.body.subarray(size), '', '')
  const hops = family === ROUTES ? decodeRoute(message.body)?.multipath : undefined
  return {
    type: message.type,
    flags: message.flags,
    header: hex(message.body.subarray(0, size)),
    // What ip(8) leaves between the attributes of hops is of any value.
    attrs: hops === undefined ? attrs : attrs.filter(({ type }) => type !== RTA_MULTIPATH),
    hops,
  }
}

/** What the tool sends beside its questions (null: nothing), and whether that was done. */
const byTool = (ask: Ask): Readonly<{ sent: Uint8Array | null; done: boolean }> => {
  const { tool, words } = commandOf({ ns: H, ask }, (ns) => real(ns) ?? '')
  // Texts are printed as hexadecimal bytes, all of them.
  const args = ['-e', 'trace=sendmsg', '-xx', '-s', '65536', '-v', tool, '-n', real(H) ?? '', ...words]
  const { stderr, status } = spawnSync('strace', args, { encoding: 'utf8' })
  const sent = [...stderr.matchAll(SENT)]
    .map(([, type = '', flags = '', body = '']) => ({
      type: Number(type),
      flags: flagsOf(flags),
      body: bytesOf(body),
    }))
    .filter(({ type }) => type !== RTM_GETLINK)
  expect(sent.length).toBeLessThanOrEqual(1)
  const [only] = sent
  return { sent: only === undefined ? null : encoded(only), done: status === 0 }
}
const SENT = /nlmsg_type=(\w+)[^,]*, nlmsg_flags=([^,]+), [^}]*\}, "((?:\\x..)*)"/g
const bytesOf = (text: string): Uint8Array => Buffer.from(text.replaceAll('\\x', ''), 'hex')
const NAMED: Readonly<Record<string, number>> = { NLM_F_REQUEST: 1, NLM_F_ACK: 4 }
const flagsOf = (text: string): number => text.split('|').reduce((sum, word) => sum + (NAMED[word] ?? Number(word)), 0)
const encoded = (message: { type: number; flags: number; body: Uint8Array }): Uint8Array => {
  const bytes = new Uint8Array(messageSize(message))
  writeMessage(bytes, 0, { ...message, seq: 0, port: 0 })
  return bytes
}

const indexes = (): ReadonlyMap<string, number> => {
  const { stdout } = spawnSync('ip', ['-n', real(H) ?? '', '-j', 'link', 'show'], { encoding: 'utf8' })
  return new Map(json(stdout).map((link) => [String(link['ifname']), Number(link['ifindex'])] as const))
}

const sentByUs = (
  ask: Exclude<Ask, { on: 'netns' | 'sysctl' | 'tap' }>,
  there: ReadonlyMap<string, number>,
): Uint8Array => {
  const request = messageOf(ask, { indexOf: (dev) => there.get(dev) ?? 0, fdOf: () => 0 })
  return encoded({ ...request, flags: request.flags | NLM_F_ACK_AND_REQUEST })
}

const LACKED: Group = {
  what: 'what a kernel may lack',
  cases: [VLANS, DUMMIES, VLAN_LINKS, IPVLANS].flatMap(({ cases }) => cases),
}

const missing =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'root on Linux'
    : findBinary('strace') === null
      ? 'the program strace'
      : null

gate(() => missing, false)('the message of a request', () => {
  afterAll(() => side.clear())

  test.each(
    [...GROUPS.filter(({ what }) => what !== 'namespaces and sysctls' && what !== 'taps'), LACKED].map(
      (group) => [group.what, group] as const,
    ),
  )('%s', async (_, { cases }) => {
    let there: ReadonlyMap<string, number> | null = null
    let compared = 0
    for (const { ask, ns } of cases) {
      if (ask.on === 'netns' || ask.on === 'sysctl' || ask.on === 'tap' || ns !== H) continue
      // What was done may be in the way of the next one.
      if (there === null) {
        await side.clear()
        await side.build(WORLD)
        there = indexes()
      }
      const { sent, done } = byTool(ask)
      if (sent !== null) {
        expect(shape(sentByUs(ask, there)), commandOf({ ns: H, ask }, String).text).toEqual(shape(sent))
        compared += 1
      }
      if (done) there = null
    }
    expect(compared).toBeGreaterThan(cases.length / 2)
  })
})
