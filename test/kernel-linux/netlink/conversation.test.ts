// Conversations with the kernel: what it refuses and in which words, batches, dumps that changes overtake, and what is left when
// a socket is closed.

import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addAddress } from '../../../src/kernel-linux/netlink/codec/address.ts'
import {
  changeLink,
  createLink,
  decodeLink,
  deleteLink,
  dumpLinks,
  getLink,
} from '../../../src/kernel-linux/netlink/codec/link.ts'
import { addRoute, deleteRoute, dumpRoutes } from '../../../src/kernel-linux/netlink/codec/route.ts'
import { ask, dump, talk } from '../../../src/kernel-linux/netlink/conversation.ts'
import { openSocket, type Socket, type SocketOptions } from '../../../src/kernel-linux/netlink/socket.ts'
import { RTM_NEWADDR, RTNLGRP_LINK } from '../../../src/kernel-linux/netlink/uapi/rtnetlink.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { E } from '../../../src/prelude.ts'
import { needs } from '../../lib/need.ts'
import { leftOf, rightOf } from '../labs.ts'
import { type Space, space } from './lab.ts'

const openFds = (): number => readdirSync('/proc/self/fd').length
const bridge = (name: string, index: number) =>
  createLink({ name, index, linkinfo: { info: { kind: 'bridge', options: {} } } })

needs.kernel('conversations', () => {
  let here: Space
  beforeAll(async () => {
    here = space('talk')
    await here.does(bridge('br0', 100), changeLink({ index: 100, up: true }))
  })
  afterAll(() => here.close())

  const socketIn = (options: SocketOptions = {}): Socket =>
    rightOf(openSocket({ in: 'path', path: here.path }, options))

  describe('a refusal', () => {
    test('has the errno, and the words of the kernel', async () => {
      const gateway = await here.answer(addRoute({ to: cidr('10.1.0.0/16'), via: ip('192.0.2.1'), oif: 100 }))
      expect(gateway).toMatchObject({ code: 101, errno: 'ENETUNREACH', text: 'Nexthop has invalid gateway' })
      const kind = await here.answer(
        createLink({ name: 'x0', linkinfo: { info: { kind: 'other', name: 'no-such-kind' } } }),
      )
      expect(kind).toMatchObject({ errno: 'EOPNOTSUPP', text: 'Unknown device type' })
    })
    test('names the offending attribute', async () => {
      const name = await here.answer(
        createLink({ name: 'longer-than-a-name-may-be', linkinfo: { info: { kind: 'bridge', options: {} } } }),
      )
      expect(name).toMatchObject({ errno: 'ERANGE', attribute: 'IFLA_IFNAME' })
      const mtu = await here.answer(changeLink({ index: 100, mtu: 20 }))
      expect(mtu).toMatchObject({ errno: 'EINVAL', text: 'mtu less than device minimum' })
    })
    test('names what is missing, or says in words what is', async () => {
      const ack = await here.answer({ type: RTM_NEWADDR, flags: 0, body: new Uint8Array([2, 24, 0, 0, 100, 0, 0, 0]) })
      expect(ack.code).toBeGreaterThan(0)
      expect(ack.text ?? ack.missing).not.toBeNull()
    })
    test.each([
      ['EEXIST', bridge('br0', 0)],
      ['EEXIST', bridge('br1', 100)],
      ['EBUSY', createLink({ name: 'v1', index: 101, linkinfo: { info: { kind: 'veth', peer: { index: 100 } } } })],
      ['ENODEV', deleteLink({ name: 'nobody' })],
      ['ESRCH', deleteRoute({ to: cidr('10.77.0.0/16') })],
      ['ENODEV', addAddress({ index: 4711, cidr: cidr('10.0.0.1/24') })],
    ] as const)('%s is told', async (errno, request) => {
      expect((await here.answer(request)).errno).toBe(errno)
    })
    test('of a question is an error that says why', async () => {
      expect(leftOf(await ask(here.socket, getLink({ name: 'nobody' }), decodeLink)())).toMatchObject({
        tag: 'Refused',
        ack: { errno: 'ENODEV' },
      })
    })
    test('of a dump is an error that says why', async () => {
      expect(leftOf(await dump(here.socket, dumpRoutes({ oif: 4711 }), decodeLink)())).toMatchObject({
        tag: 'Refused',
        ack: { errno: 'ENODEV' },
      })
    })
    test('does not stop the requests after it', async () => {
      const acks = rightOf(
        await talk(here.socket, [
          bridge('s1', 201),
          bridge('s1', 202),
          bridge('s3', 203),
          deleteLink({ index: 9999 }),
          deleteLink({ index: 203 }),
        ])(),
      )
      expect(acks.map(({ errno }) => errno)).toEqual([null, 'EEXIST', null, 'ENODEV', null])
      await here.does(deleteLink({ index: 201 }))
    })
  })

  describe('many requests', () => {
    const COUNT = 2000
    const routes = (add: boolean) =>
      Array.from({ length: COUNT }, (_, i) => {
        const to = cidr(`10.${100 + (i >> 8)}.${i & 255}.0/24`)
        return add ? addRoute({ to, oif: 100 }) : deleteRoute({ to, oif: 100 })
      })
    test.each(['here', 'aside'] as const)('are all answered, in order (%s)', async (turn) => {
      const added = rightOf(await talk(here.socket, routes(true), turn)())
      expect(added.map(({ code }) => code)).toEqual(Array(COUNT).fill(0))
      const deleted = rightOf(await talk(here.socket, [...routes(false), ...routes(false)], turn)())
      expect(deleted.map(({ errno }) => errno)).toEqual([...Array(COUNT).fill(null), ...Array(COUNT).fill('ESRCH')])
    })
    test('of several callers at once do not mix', async () => {
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          i % 2 === 0
            ? talk(here.socket, [changeLink({ index: 100, mtu: 1400 + i }), deleteLink({ index: 5000 + i })])()
            : dump(here.socket, dumpLinks(), decodeLink)(),
        ),
      )
      const lengths = all.map((result) => rightOf<ReadonlyArray<unknown>>(result).length)
      expect(lengths).toEqual(Array.from({ length: 20 }, () => 2))
    })
    test('no request at all is an answer of none', async () => {
      expect(rightOf(await talk(here.socket, [])())).toEqual([])
    })
    test('more acknowledgements than there is room for are an error', async () => {
      const small = socketIn({ receiveBytes: 1 })
      const result = await talk(small, routes(false))()
      expect(leftOf(result)).toEqual({ tag: 'Overrun' })
      await small.close()
    })
  })

  test('a dump that changes overtake is whole all the same', async () => {
    const made = Array.from({ length: 120 }, (_, i) =>
      createLink({ name: `many${i}`, group: 50, linkinfo: { info: { kind: 'bridge', options: {} } } }),
    )
    await here.does(...made)
    const other = socketIn()
    let over = false
    const churn = async (): Promise<void> => {
      while (!over) {
        rightOf(await talk(other, [bridge('churn', 3000)])())
        rightOf(await talk(other, [deleteLink({ index: 3000 })])())
      }
    }
    const churning = churn()
    for (let round = 0; round < 5; round++) {
      const result = await dump(here.socket, dumpLinks(), decodeLink)()
      if (E.isLeft(result)) expect(result.left).toMatchObject({ tag: 'Interrupted' })
      else expect(result.right.filter(({ name }) => name?.startsWith('many')).length).toBe(made.length)
    }
    over = true
    await churning
    await other.close()
    await here.does(deleteLink({ group: 50 }))
  })

  test('slow work on a worker thread leaves the event loop alone', async () => {
    await here.does(createLink({ name: 'v0', index: 300, linkinfo: { info: { kind: 'veth', peer: { name: 'v1' } } } }))
    let turns = 0
    let last = performance.now()
    let longest = 0
    const timer = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      turns++
    }, 1)
    const before = performance.now()
    await here.does(deleteLink({ index: 300 }))
    const took = performance.now() - before
    clearInterval(timer)
    // Waiting for RCU takes several ms; the loop went round meanwhile.
    expect(took < 4 || turns >= 2, `took ${took} ms, ${turns} turns, the longest ${longest} ms`).toBe(true)
  })

  describe('sockets', () => {
    test('opened in another namespace see that one, and this process stays where it was', () => {
      const before = openFds()
      const socket = socketIn()
      expect(openFds()).toBe(before + 1)
      void socket.close()
    })
    test('closed ones leave no file open, a thousand times', async () => {
      const before = openFds()
      for (let i = 0; i < 1000; i++) {
        const socket = socketIn()
        if (i % 50 === 0) rightOf(await ask(socket, getLink({ index: 1 }), decodeLink)())
        await socket.close()
      }
      expect(openFds()).toBe(before)
    })
    test('that cannot be opened leave no file open', () => {
      const before = openFds()
      expect(leftOf(openSocket({ in: 'path', path: '/run/netns/cnm-nl-nobody' }))).toMatchObject({
        tag: 'SystemCall',
        call: 'open',
        errno: 'ENOENT',
      })
      expect(leftOf(openSocket({ in: 'path', path: '/proc/self/ns/uts' }))).toMatchObject({
        tag: 'SystemCall',
        call: 'setns',
        errno: 'EINVAL',
      })
      expect(openFds()).toBe(before)
    })
    test('wait for what is not there yet, and no longer than they are told', async () => {
      const listener = socketIn({ groups: [RTNLGRP_LINK] })
      expect(await listener.readable(10)).toBe(false)
      const waiting = listener.readable(5000)
      await here.does(bridge('waited', 450), deleteLink({ index: 450 }))
      expect(await waiting).toBe(true)
      await listener.close()
    })
    test('are closed after the conversation under way, and say so to the next', async () => {
      const socket = socketIn()
      const under = talk(socket, [bridge('late', 400), deleteLink({ index: 400 })])()
      const closed = socket.close()
      expect(leftOf(await talk(socket, [])())).toEqual({ tag: 'Closed' })
      expect(rightOf(await under).map(({ code }) => code)).toEqual([0, 0])
      await closed
    })
  })
})
