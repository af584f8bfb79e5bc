// What ICMP errors say, who sends them, and about what there are none; fragments, redirects and path MTUs in virtual time.

import { describe, expect, test } from 'vitest'
import type { Parts } from '../../../../src/kernel-sim/datapath/plane.ts'
import { NO_META } from '../../../../src/kernel-sim/datapath/skb.ts'
import type { Step } from '../../../../src/kernel-sim/datapath/step.ts'
import { fragment } from '../../../../src/kernel-sim/wire/fragment.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import type { Packet } from '../../../../src/kernel-sim/wire/nested.ts'
import { encodePacket } from '../../../../src/kernel-sim/wire/wire.ts'
import { ip, isIp4, showIp } from '../../../../src/net/ip.ts'
import { rightOf } from '../../../kernel-linux/labs.ts'
import { route } from '../../control/story.ts'
import {
  at,
  attemptIn,
  forwards,
  inPlane,
  mtu,
  on,
  ping,
  sentBy,
  spaces,
  sysctl,
  udp,
  via,
  wire,
  worldOf,
} from './lab.ts'

const LINE = [
  ...spaces('a', 'b', 'r'),
  ...wire('r', 'ra', 'a', 'eth0'),
  ...wire('r', 'rb', 'b', 'eth0'),
  ...on('a', 'eth0', '10.0.1.2/24', 'fd00:1::2/64'),
  ...on('b', 'eth0', '10.0.2.2/24', 'fd00:2::2/64'),
  ...on('r', 'ra', '10.0.1.1/24', 'fd00:1::1/64'),
  ...on('r', 'rb', '10.0.2.1/24', 'fd00:2::1/64'),
  via('a', '0.0.0.0/0', '10.0.1.1'),
  via('a', '::/0', 'fd00:1::1'),
  via('b', '0.0.0.0/0', '10.0.2.1'),
  via('b', '::/0', 'fd00:2::1'),
  ...forwards('r'),
]

const errorsBy = (steps: ReadonlyArray<Step>, space: string, dev: string): ReadonlyArray<Packet> =>
  sentBy(steps, space, dev).flatMap(({ payload }) =>
    (payload.tag === 'ip4' || payload.tag === 'ip6') && 'about' in payload.body ? [payload] : [],
  )

describe('an ICMP error', () => {
  test('of IPv4 has the precedence of network control with what was asked for beside it, and may be fragmented', () => {
    const { steps } = attemptIn(worldOf(LINE), ping('a', '10.0.2.2', { ttl: 1, tos: 0x48 }))
    const [error] = errorsBy(steps, 'r', 'ra')
    expect(error).toMatchObject({ tos: 0xc8, ttl: 64, df: false, body: { type: 'time-exceeded', code: 'transit' } })
    expect(error === undefined ? '' : showIp(error.src)).toBe('10.0.1.1')
  })

  test('is no longer than 576 bytes, of IPv6 1280', () => {
    const lengths = ['10.0.2.2', 'fd00:2::2'].map((to) => {
      const { steps } = attemptIn(worldOf(LINE), ping('a', to, { ttl: 1, size: 1400 }))
      return errorsBy(steps, 'r', 'ra').map((error) => encodePacket(error).length)
    })
    expect(lengths).toEqual([[576], [1280]])
  })

  test('comes from the address that was asked, if that is the host’s own', () => {
    const { steps } = attemptIn(worldOf(LINE), udp('a', '10.0.2.1'))
    expect(errorsBy(steps, 'r', 'ra').map(({ src }) => showIp(src))).toEqual(['10.0.2.1'])
  })

  test('of IPv6 comes from an address of the device by which the packet came in', () => {
    const { steps } = attemptIn(worldOf(LINE), ping('a', 'fd00:9::9'))
    expect(errorsBy(steps, 'r', 'ra').map(({ src }) => showIp(src))).toEqual(['fd00:1::1'])
  })

  test.each([
    [
      'an error',
      {
        proto: 'icmp',
        type: 'time-exceeded',
        code: 'transit',
        about: packet4(ip('10.0.2.2') as never, ip('10.0.1.2') as never, {
          proto: 'raw',
          protocol: 99,
          bytes: new Uint8Array(8),
        }),
        missing: 0,
      },
      {},
    ],
    ['a later fragment', { proto: 'raw', protocol: 17, bytes: new Uint8Array(8) }, { offset: 8 }],
  ] as const)('is not sent about %s', (_, body, more) => {
    const { steps } = inPlane(worldOf(LINE), 'a', (space) => {
      const packet = { ...packet4(ip('10.0.1.2') as never, ip('10.9.9.9') as never, body as never), df: false, ...more }
      space.plane.parts.sendPacket(space, packet, NO_META, null)
    })
    expect(errorsBy(steps, 'r', 'ra')).toEqual([])
    expect(steps.some(({ ns, event }) => ns === 'r' && event.tag === 'dropped')).toBe(true)
  })

  test('is not sent by a host that does not forward; of IPv6 it says that it has no route', () => {
    const still = [...LINE, sysctl('r', 'net.ipv4.ip_forward', 0), sysctl('r', 'net.ipv6.conf.all.forwarding', 0)]
    const errors = (to: string) => errorsBy(attemptIn(worldOf(still), ping('a', to)).steps, 'r', 'ra').length
    expect([errors('10.9.9.9'), errors('10.0.2.2'), errors('fd00:9::9'), errors('fd00:2::2')]).toEqual([0, 0, 1, 0])
  })
})

describe('pieces of a packet', () => {
  const piecesOf = (first: number, last: number) => (space: Parameters<Parameters<typeof inPlane>[2]>[0]) => {
    const whole = {
      ...packet4(ip('10.0.1.2') as never, ip('10.0.2.2') as never, {
        proto: 'icmp',
        type: 'echo-request',
        id: 1,
        seq: 1,
        payload: new Uint8Array(3000),
      }),
      df: false,
      id: 77,
    }
    for (const piece of rightOf(fragment(whole, 1500, 1)).slice(first, last))
      space.plane.parts.sendPacket(space, piece, NO_META, null)
  }

  test('are put together where they are delivered, in any order, and only there', () => {
    const delivered: string[] = []
    const deliver: Parts['deliver'] = (space, _, { packet }) => {
      delivered.push(`${space.ns} ${encodePacket(packet).length}`)
    }
    const half = inPlane(worldOf(LINE), 'a', piecesOf(1, 3), { deliver, forMs: 100 })
    expect(delivered).toEqual([])
    inPlane(
      worldOf(LINE),
      'a',
      (space) => {
        piecesOf(1, 3)(space)
        piecesOf(0, 1)(space)
      },
      { deliver },
    )
    expect(delivered).toEqual(['b 3028'])
    expect(half.steps.some(({ ns, event }) => ns === 'r' && event.tag === 'reassembled')).toBe(false)
  })

  test('wait for 30 s; then whoever sent the first is told', () => {
    const told = (first: number, last: number, forMs: number) =>
      errorsBy(inPlane(worldOf(LINE), 'a', piecesOf(first, last), { forMs }).steps, 'b', 'eth0').map(
        ({ body }) => 'code' in body && body.code,
      )
    expect(told(0, 2, 29_000)).toEqual([])
    expect(told(0, 2, 31_000)).toEqual(['reassembly'])
    expect(told(1, 3, 31_000)).toEqual([])
  })
})

describe('what is known of a path', () => {
  const NARROW = [...LINE, mtu('r', 'rb', 1300), mtu('b', 'eth0', 1300)]
  const big = ping('a', '10.0.2.2', { size: 1400, df: true })

  test('is believed for ten minutes, over the end of a plane, too', () => {
    const first = attemptIn(worldOf(NARROW), big)
    expect(first.account.ending).toEqual({ errno: 'EMSGSIZE' })
    expect(first.account.crossings.some(({ what }) => what === 'error')).toBe(true)
    const second = attemptIn(first.world, big)
    expect(second.account).toMatchObject({ ending: { errno: 'EMSGSIZE' }, crossings: [] })
    const later = inPlane(first.world, 'a', () => {}, { forMs: 601_000 }).world
    expect(attemptIn(later, big).account.crossings.length).toBeGreaterThan(0)
  })

  test('makes a sender that wants to cut its packets, which the router need not', () => {
    const first = attemptIn(worldOf(NARROW), big)
    const { steps, account } = attemptIn(first.world, ping('a', '10.0.2.2', { size: 1400 }))
    expect(account.ending).toBe('answered')
    const pieces = sentBy(steps, 'a', 'eth0').flatMap(({ payload }) =>
      payload.tag === 'ip4' ? [encodePacket(payload).length] : [],
    )
    expect(Math.max(...pieces)).toBeLessThanOrEqual(1300)
  })
})

describe('a redirect', () => {
  const ONE_LINK = [
    ...spaces('a', 'r'),
    ...wire('r', 'ra', 'a', 'eth0'),
    ...on('a', 'eth0', '10.0.1.2/24'),
    ...on('r', 'ra', '10.0.1.1/24'),
    via('a', '10.5.0.0/16', '10.0.1.1'),
    at('r', route('10.5.0.0/16', { via: '10.0.1.9' })),
    ...forwards('r'),
  ]
  const gateways = (more: typeof ONE_LINK) => {
    const { steps } = attemptIn(worldOf([...ONE_LINK, ...more]), ping('a', '10.5.0.1'))
    return errorsBy(steps, 'r', 'ra').map(({ body }) =>
      'gateway' in body && isIp4(body.gateway) ? showIp(body.gateway) : '',
    )
  }

  test('names the router that is on the sender’s own link', () => {
    expect(gateways([])).toEqual(['10.0.1.9'])
  })

  test('is not sent where the device and all of them may not', () => {
    const off = ['all', 'ra'].map((dev) => sysctl('r', `net.ipv4.conf.${dev}.send_redirects`, 0))
    expect(gateways(off)).toEqual([])
    expect(gateways(off.slice(0, 1))).toEqual(['10.0.1.9'])
  })

  test('comes after 40 ms at the earliest again', () => {
    const told = ({ steps }: { steps: ReadonlyArray<Step> }) => errorsBy(steps, 'r', 'ra').length
    const again = (afterMs: number) => {
      const first = attemptIn(worldOf(ONE_LINK), ping('a', '10.5.0.1'), { forMs: afterMs })
      const many = inPlane(
        first.world,
        'a',
        (space) => {
          for (let i = 0; i < 5; i++)
            space.plane.parts.send(space, {
              src: null,
              dst: ip('10.5.0.1'),
              body: { proto: 'raw', protocol: 99, bytes: new Uint8Array(8) },
            })
        },
        { forMs: 10 },
      )
      return [told(first), told(many)]
    }
    expect([again(40), again(41)]).toEqual([
      [1, 0],
      [1, 1],
    ])
  })
})
