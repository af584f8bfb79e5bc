// What is deleted behind the caller's back (departures.ts, netlink/condemned.ts): on the running kernel, and by itself.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readlinkSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { diff } from '../../src/kernel/diff.ts'
import type { Link } from '../../src/kernel/object.ts'
import { linkKey, netnsKey, portKey } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { aliasFor } from '../../src/kernel/owned.ts'
import { type KernelState, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { deviceSysctl } from '../../src/kernel/sysctl.ts'
import { deviceIn, makeDepartures } from '../../src/kernel-linux/departures.ts'
import { type LinuxKernel, linuxKernel } from '../../src/kernel-linux/linux.ts'
import { labNames, netnsPath } from '../../src/kernel-linux/names.ts'
import { decodeLink, dumpLinks, getLink, type LinkMessage } from '../../src/kernel-linux/netlink/codec/link.ts'
import { condemn } from '../../src/kernel-linux/netlink/condemned.ts'
import { ask, dump, talk } from '../../src/kernel-linux/netlink/conversation.ts'
import { condemnedGroup, isCondemned } from '../../src/kernel-linux/netlink/groups.ts'
import { loadLibc } from '../../src/kernel-linux/netlink/libc.ts'
import { openSocket, type Socket } from '../../src/kernel-linux/netlink/socket.ts'
import { RTM_DELLINK } from '../../src/kernel-linux/netlink/uapi/rtnetlink.ts'
import { HOST, ifName, type Ns, ns } from '../../src/net/name.ts'
import { hasIn } from '../../src/net/pmap.ts'
import { address, bridge, cable, ETH0, joined, netns, route, sysctl } from '../kernel-sim/topology.ts'
import { probeOf } from '../kernel-sim/world.ts'
import { needs } from '../lib/need.ts'
import { bundleAgent, labKernel, leftOf, rightOf, TRANSPORTS } from './labs.ts'

const BR = ifName('br0')
/** The containers that tests bring along. */
const GUESTS: ReadonlyArray<number> = [3, 4, 5, ...Array.from({ length: 40 }, (_, i) => 10 + i)]
const member = (n: number): Ns => ns(`c${n}`)
const portOf = (n: number) => ifName(`p${n}`)

/** A container on the bridge; the one of a number always has the same address and the same MAC. */
const attach = (n: number, as: number = n): ReadonlyArray<KernelOp> => [
  ...netns(member(n)),
  ...cable([HOST, portOf(n)], [member(n), ETH0], 0x100 + 2 * as),
  joined(HOST, portOf(n), BR),
  address(member(n), ETH0, `10.0.0.${as}/24`),
]
/** A link of the host bears our mark. */
const marked = (op: KernelOp): KernelOp =>
  op.verb === 'create' && op.object.kind === 'link' && op.object.ns === HOST
    ? { verb: 'create', object: { ...op.object, alias: aliasFor('test') } }
    : op
const linkOf = (ops: ReadonlyArray<KernelOp>): Link => {
  for (const { verb, object } of ops) if (verb === 'create' && object.kind === 'link') return object
  throw new Error('no link is made')
}
const detach = (n: number): KernelOp => ({ verb: 'delete', object: linkOf(attach(n)) })
/** The namespace goes, too. */
const leave = (n: number): KernelOp => ({ verb: 'delete', object: { kind: 'netns', ns: member(n), at: null } })

/** How many deletions of links were asked for by this process, groups counting once. */
const countDeletions = () => {
  const libc = rightOf(loadLibc())
  let deletions = 0
  const seen = (bytes: Uint8Array): void => {
    if (new DataView(bytes.buffer, bytes.byteOffset).getUint16(4, true) === RTM_DELLINK) deletions += 1
  }
  const { send, aside } = libc
  const sendAside = aside.send
  vi.spyOn(libc, 'send').mockImplementation((fd, bytes, ...rest) => {
    seen(bytes)
    return send(fd, bytes, ...rest)
  })
  vi.spyOn(aside, 'send').mockImplementation((fd, bytes, ...rest) => {
    seen(bytes)
    return sendAside(fd, bytes, ...rest)
  })
  return {
    deletions: () => deletions,
    stop: () => {
      vi.restoreAllMocks()
    },
  }
}

needs.kernel('on the running kernel', () => {
  beforeAll(bundleAgent)
  const { kernel, lab, close } = labKernel('departures', 'netlink')
  const names = labNames(lab)
  const path = netnsPath(names(HOST) ?? '')
  const apply = async (...ops: ReadonlyArray<KernelOp>): Promise<void> => {
    rightOf(await kernel.apply(ops)())
  }
  const pings = async (from: number, to: number): Promise<boolean> =>
    rightOf(await kernel.probe(probeOf(`c${from}`, 'icmp', `10.0.0.${to}`))()).tag === 'arrived'
  beforeAll(() => apply(...netns(HOST), bridge(HOST, BR, 1), ...attach(1), ...attach(2)))
  afterAll(close)
  /** Whatever a test left, the next one finds two containers. */
  afterEach(async () => {
    const namespaces = [HOST, ...GUESTS.map(member)]
    const there = rightOf(await kernel.observe({ namespaces, sysctls: [] })())
    const guests = GUESTS.filter((n) => hasIn(there, netnsKey(member(n))))
    await apply(...GUESTS.filter((n) => hasIn(there, linkKey(HOST, portOf(n)))).map(detach), ...guests.map(leave))
    await kernel.settled()
  })

  const rmNamespace = (n: number): void => {
    expect(spawnSync('ip', ['netns', 'delete', names(member(n)) ?? '']).status).toBe(0)
  }

  const inHost = async <A>(f: (socket: Socket) => Promise<A>): Promise<A> => {
    const socket = rightOf(openSocket({ in: 'path', path }))
    try {
      return await f(socket)
    } finally {
      await socket.close()
    }
  }
  /** What the kernel says of a device of the host, without waiting for anybody. */
  const told = (n: number): Promise<LinkMessage | null> =>
    inHost(async (socket) => {
      const links = rightOf(await dump(socket, dumpLinks(), decodeLink)())
      return links.find(({ name }) => name === portOf(n)) ?? null
    })
  /** Condemns a link as a process does that is killed before it deletes the group. */
  const condemnAndDie = (n: number): Promise<void> =>
    inHost(async (socket) => {
      const link = rightOf(await ask(socket, getLink({ name: portOf(n) }), decodeLink)())
      const acks = rightOf(await talk(socket, condemn(link, condemnedGroup(0xbeef)))())
      expect(acks.map(({ errno }) => errno)).toEqual([null, null])
    })
  const scope = { namespaces: [HOST, ...[1, 2, 3].map(member)], sysctls: [] }
  const seenBy = async (other: LinuxKernel): Promise<KernelState> => rightOf(await other.observe(scope)())

  test('who deletes a link has its answer before the kernel is asked to take it apart', async () => {
    await apply(...attach(3))
    const { deletions, stop } = countDeletions()
    try {
      await apply(detach(3))
      expect(deletions()).toBe(0)
      await kernel.settled()
      expect([deletions(), await told(3)]).toEqual([1, null])
    } finally {
      stop()
    }
  })

  test('from that moment nothing passes, and its address is good for somebody else at once', async () => {
    await apply(...attach(3))
    expect([await pings(3, 2), await pings(2, 3)]).toEqual([true, true])
    await condemnAndDie(3)
    expect(isCondemned((await told(3))?.group)).toBe(true)
    expect([await pings(3, 2), await pings(2, 3)]).toEqual([false, false])
    await apply(...attach(4, 3))
    expect([await pings(2, 3), await pings(4, 2)]).toEqual([true, true])
    await apply(detach(3), leave(3), leave(4))
    await kernel.settled()
    expect([await told(3), await told(4)]).toEqual([null, null])
  })

  test('a route waits for one to the same destination that goes with its device', async () => {
    const inside = ifName('eth1')
    const second = linkOf(cable([HOST, portOf(4)], [member(3), inside], 0x180))
    await apply(...attach(3), route(member(3), 'default', '10.0.0.1', ETH0))
    await apply(
      ...cable([HOST, portOf(4)], [member(3), inside], 0x180),
      joined(HOST, portOf(4), BR),
      address(member(3), inside, '10.0.0.44/24'),
    )
    await apply(detach(3), route(member(3), 'default', '10.0.0.2', inside))
    const there = rightOf(await kernel.observe({ namespaces: [HOST, member(3)], sysctls: [] })())
    expect(objectsOf(there).filter(({ kind }) => kind === 'route')).toEqual([
      route(member(3), 'default', '10.0.0.2', inside).object,
    ])
    await apply({ verb: 'delete', object: second })
  })

  test('many deletions are few of the kernel', async () => {
    const crowd = GUESTS.slice(3)
    await apply(...crowd.flatMap((n) => attach(n)))
    const { deletions, stop } = countDeletions()
    try {
      await Promise.all(crowd.map((n) => apply(detach(n))))
      await kernel.settled()
      expect(deletions()).toBeLessThanOrEqual(4)
      expect(await Promise.all(crowd.map(told))).toEqual(crowd.map(() => null))
    } finally {
      stop()
    }
  })

  test('a name that is needed again is waited for, in one list and from one to the next', async () => {
    await apply(...attach(3))
    const [, , ...again] = attach(3)
    for (let round = 0; round < 5; round++) {
      await apply(detach(3), ...again)
      await apply(detach(3))
      await apply(...again)
      expect(await pings(3, 2)).toBe(true)
    }
  })

  test.each(TRANSPORTS)('what is about a deleted link finds none, through %s', async (transport) => {
    await apply(...attach(3))
    const other = linuxKernel({ names, transport })
    const { object } = detach(3)
    if (object.kind !== 'link') throw new Error('a link is deleted')
    const change: KernelOp = { verb: 'change', from: object, object: { ...object, mtu: 1400 } }
    const refusals = leftOf(
      await other.apply([detach(3), change, address(HOST, portOf(3), '10.9.0.1/24'), detach(3)])(),
    )
    expect('tag' in refusals ? refusals : refusals.map(({ at, errno }) => [at, errno])).toEqual([
      [1, 'ENODEV'],
      [2, 'ENODEV'],
      [3, 'ENODEV'],
    ])
    await other.close()
  })

  describe.each(TRANSPORTS)('a link that was condemned by a process that died, through %s,', (transport) => {
    const other = linuxKernel({ names, transport })
    afterAll(other.close)

    test('is on no bridge, and comes back to life by the difference', async () => {
      await apply(...attach(3))
      const wanted = await seenBy(other)
      await condemnAndDie(3)
      const there = await seenBy(other)
      expect([hasIn(there, linkKey(HOST, portOf(3))), hasIn(there, portKey(HOST, portOf(3)))]).toEqual([true, false])
      rightOf(await other.apply(diff(there, wanted))())
      expect(diff(await seenBy(other), wanted)).toEqual([])
      expect([(await told(3))?.group ?? 0, await pings(2, 3), await pings(3, 2)]).toEqual([0, true, true])
    })

    test('goes, if nobody wants it', async () => {
      await apply(...attach(3))
      await condemnAndDie(3)
      const there = await seenBy(other)
      const wanted = stateOf(
        objectsOf(there).filter(
          (object) => object.ns !== member(3) && !('name' in object && object.name === portOf(3)),
        ),
      )
      rightOf(await other.apply(diff(there, wanted))())
      expect([diff(await seenBy(other), wanted), await told(3)]).toEqual([[], null])
    })
  })

  test("a stranger's veth on the same bridge stays, whatever group it is in", async () => {
    const ip = (...words: ReadonlyArray<string>): string => {
      const { status, stdout, stderr } = spawnSync('ip', ['-n', names(HOST) ?? '', ...words], { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      return stdout
    }
    const groups = ['7', `${0x636e}`, `${0x636f0000}`]
    groups.forEach((group, i) => {
      ip('link', 'add', `s${i}`, 'type', 'veth', 'peer', 'name', `t${i}`)
      ip('link', 'set', `s${i}`, 'master', BR, 'group', group, 'up')
    })
    const strangers = (): ReadonlyArray<string> => groups.map((_, i) => ip('-d', 'link', 'show', 'dev', `s${i}`))
    await apply(...attach(3), ...attach(4))
    const before = strangers()
    await apply(detach(3))
    await condemnAndDie(4)
    await apply(detach(4), leave(3), leave(4))
    await kernel.settled()
    const still = (text: string): string => text.replaceAll(/\S*_timer +\S+/g, '')
    expect(strangers().map(still)).toEqual(before.map(still))
    groups.forEach((_, i) => {
      ip('link', 'delete', `s${i}`)
    })
  })

  test('who only looks deletes nothing: somebody may live on in a namespace that has lost its name', async () => {
    await apply(...attach(3).map(marked))
    const inside = spawn('nsenter', [`--net=${netnsPath(names(member(3)) ?? '')}`, '--', 'sleep', '60'])
    try {
      await expect.poll(() => readlinkSync(`/proc/${inside.pid}/exe`)).toContain('sleep')
      spawnSync('ip', ['netns', 'delete', names(member(3)) ?? ''])
      rightOf(await kernel.observe({ namespaces: [HOST], sysctls: [] })())
      const shown = spawnSync('ip', ['-n', names(HOST) ?? '', '-brief', 'link', 'show', 'dev', portOf(3)])
      expect(shown.status).toBe(0)
    } finally {
      inside.kill('SIGKILL')
      await once(inside, 'exit')
      await kernel.apply([detach(3)])()
    }
  })

  test('a deleted namespace is gone at once; the other ends of its veths are waited for', async () => {
    for (let round = 0; round < 3; round++) {
      await apply(...attach(3))
      await apply(leave(3))
      await apply(...attach(3))
      expect(await pings(2, 3)).toBe(true)
      await apply(leave(3))
      expect(
        hasIn(rightOf(await kernel.observe({ namespaces: [HOST], sysctls: [] })()), linkKey(HOST, portOf(3))),
      ).toBe(false)
    }
  })

  test.each(TRANSPORTS)('what a process that died has left to go is waited for, through %s', async (transport) => {
    for (let round = 0; round < 3; round++) {
      const made = attach(3).map((op) => marked(op))
      await apply(...made)
      const wanted = stateOf([...objectsOf(await seenBy(kernel))])
      // As it deletes a namespace, which then goes, or hangs for a while, when nobody remembers.
      rmNamespace(3)
      const next = linuxKernel({ names, transport })
      const there = await seenBy(next)
      expect(hasIn(there, linkKey(HOST, portOf(3)))).toBe(false)
      rightOf(await next.apply(diff(there, wanted))())
      expect(diff(await seenBy(next), wanted)).toEqual([])
      await next.close()
      await apply(detach(3), leave(3))
    }
  })

  test.each(TRANSPORTS)('a veth between two guests goes with one of them, through %s', async (transport) => {
    const other = linuxKernel({ names, transport })
    const [one, two] = [
      [member(3), ETH0],
      [member(4), ETH0],
    ] as const
    const forwarding = sysctl(member(4), deviceSysctl(4, ETH0, 'forwarding'), '1')
    for (let round = 0; round < 5; round++) {
      rightOf(await other.apply([...netns(member(3)), ...netns(member(4)), ...cable(one, two, 0x200)])())
      rightOf(await other.apply([leave(3)])())
      expect(leftOf(await other.apply([forwarding])())).toMatchObject([{ at: 0, errno: 'ENOENT' }])
      rightOf(await other.apply([leave(4)])())
    }
    await other.close()
  })

  test('closing waits for all of it', async () => {
    const crowd = [3, 4, 5]
    await apply(...crowd.flatMap((n) => attach(n)))
    await apply(detach(3), detach(4), leave(5))
    await kernel.close()
    expect(await Promise.all(crowd.map(told))).toEqual([null, null, null])
  })
})

describe('departures', () => {
  const a = deviceIn(HOST, 'v0')
  const b = deviceIn(HOST, 'v1')
  const making = (name: string): KernelOp => bridge(HOST, ifName(name), 1)
  const going = () => {
    let end = (): void => {}
    const gone = new Promise<void>((resolve) => {
      end = resolve
    })
    return { going: { gone, hurry: vi.fn() }, end }
  }
  const isDone = async (promise: Promise<void>): Promise<boolean> => {
    let done = false
    void promise.then(() => {
      done = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    return done
  }

  test('hold up only what needs the name, and hurry', async () => {
    const departures = makeDepartures()
    const one = going()
    departures.add([a], one.going)
    expect(await isDone(departures.inTheWayOf([making('v1')]))).toBe(true)
    expect(one.going.hurry).not.toHaveBeenCalled()
    const waiting = departures.inTheWayOf([making('v0')])
    expect(await isDone(waiting)).toBe(false)
    expect(one.going.hurry).toHaveBeenCalledTimes(1)
    one.end()
    expect(await isDone(waiting)).toBe(true)
  })

  test('are forgotten when they are over', async () => {
    const departures = makeDepartures()
    const one = going()
    departures.add([a, b], one.going)
    one.end()
    await isDone(departures.all())
    await departures.inTheWayOf([making('v0')])
    expect(one.going.hurry).toHaveBeenCalledTimes(1)
  })

  test('of one device follow each other: the later one counts', async () => {
    const departures = makeDepartures()
    const [first, second] = [going(), going()]
    departures.add([a], first.going)
    departures.add([a], second.going)
    first.end()
    expect(await isDone(departures.inTheWayOf([making('v0')]))).toBe(false)
    second.end()
    expect(await isDone(departures.inTheWayOf([making('v0')]))).toBe(true)
  })

  test('hold up who waits for all', async () => {
    const departures = makeDepartures()
    const [first, second] = [going(), going()]
    departures.add([a], first.going)
    departures.add([b], second.going)
    const all = departures.all()
    first.end()
    expect(await isDone(all)).toBe(false)
    second.end()
    expect(await isDone(all)).toBe(true)
  })
})
