// Tries on the running kernel: two containers c and d on the bridge of a host h, which routes to an outside o, publishes c's port
// 80 as 8080, and masquerades.

import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Account, Crossing, Try } from '../../src/kernel/traffic.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { type LinuxTraffic, openTraffic } from '../../src/kernel-linux/traffic/traffic.ts'
import { frame } from '../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../src/kernel-sim/wire/ip4.ts'
import { encodeFrame } from '../../src/kernel-sim/wire/wire.ts'
import { ip, isIp4 } from '../../src/net/ip.ts'
import { BROADCAST, mac } from '../../src/net/mac.ts'
import { ifName, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { labOf, rightOf } from './labs.ts'

const lab = labOf(ownLab('traffic'))
const names = labNames(lab)
const [H, C, D, O] = [ns('h'), ns('c'), ns('d'), ns('o')]
const SPACES = [H, C, D, O]

const inside = (space: typeof H, ...words: ReadonlyArray<string>): string =>
  execFileSync('ip', ['netns', 'exec', names(space) ?? '', ...words], { encoding: 'utf8' })

const container = (space: typeof H, at: string): ReadonlyArray<string> => [
  `link add v${space} netns ${names(H)} type veth peer name eth0 netns ${names(space)}`,
  `-n ${names(H)} link set v${space} master br0 up`,
  `-n ${names(space)} link set eth0 up`,
  `-n ${names(space)} addr add 10.0.0.${at}/24 dev eth0`,
  `-n ${names(space)} addr add fd00::${at}/64 dev eth0 nodad`,
  `-n ${names(space)} route add default via 10.0.0.1`,
  `-n ${names(space)} route add default via fd00::1`,
]

/** A line may begin with an option of ip(8), which a batch does not take; so each is a command. */
const build = (): void => {
  for (const space of SPACES) execFileSync('ip', ['netns', 'add', names(space) ?? ''])
  const lines = [
    ...SPACES.map((space) => `-n ${names(space)} link set lo up`),
    `-n ${names(H)} link add br0 up type bridge`,
    `-n ${names(H)} addr add 10.0.0.1/24 dev br0`,
    `-n ${names(H)} addr add fd00::1/64 dev br0 nodad`,
    ...container(C, '2'),
    ...container(D, '3'),
    `link add up0 netns ${names(H)} type veth peer name eth0 netns ${names(O)}`,
    `-n ${names(H)} link set up0 up`,
    `-n ${names(H)} addr add 192.0.2.1/24 dev up0`,
    `-n ${names(O)} link set eth0 up`,
    `-n ${names(O)} addr add 192.0.2.9/24 dev eth0`,
  ]
  for (const line of lines) execFileSync('ip', line.split(' '))
  inside(H, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.icmp_ratelimit=0')
  inside(
    H,
    'nft',
    `table ip t {
      chain d { type nat hook prerouting priority -100; iifname up0 tcp dport 8080 dnat to 10.0.0.2:80; }
      chain s { type nat hook postrouting priority 100; oifname up0 masquerade; }
    }`,
  )
}

const showCrossing = ({ ns, dev, way, what }: Crossing): string => `${ns} ${dev} ${way} ${what}`
const crossed = ({ crossings }: Account, what: Crossing['what']): ReadonlyArray<string> =>
  crossings.filter((one) => one.what === what).map(showCrossing)

needs.kernel('a try on the running kernel', () => {
  let traffic: LinuxTraffic
  beforeAll(() => {
    build()
    traffic = rightOf(openTraffic(names, SPACES))
  })
  afterAll(async () => {
    traffic?.close()
    rightOf(await removeLab(lab))
  })
  const attempt = async (one: Try): Promise<Account> => rightOf(await traffic.attempt(one))

  test('a ping is answered, and was seen at each device that it crossed', async () => {
    const account = await attempt({ send: 'ping', ns: C, to: ip('10.0.0.3') })
    expect(account).toMatchObject({ ending: 'answered', answer: { from: ip('10.0.0.3'), ttl: 64 } })
    expect(account.arrivals).toEqual([{ ns: D, from: ip('10.0.0.2'), to: ip('10.0.0.3'), port: null, ttl: 64 }])
    expect(crossed(account, 'request')).toEqual(
      ['c eth0 out', 'd eth0 in', 'h vc in', 'h vd out'].map((at) => `${at} request`),
    )
    expect(crossed(account, 'answer')).toEqual(
      ['c eth0 in', 'd eth0 out', 'h vc out', 'h vd in'].map((at) => `${at} answer`),
    )
  })

  test('so is one over IPv6', async () => {
    const account = await attempt({ send: 'ping', ns: C, to: ip('fd00::3'), size: 2000 })
    expect(account).toMatchObject({ ending: 'answered', answer: { from: ip('fd00::3'), ttl: 64 } })
    expect(account.arrivals).toEqual([{ ns: D, from: ip('fd00::2'), to: ip('fd00::3'), port: null, ttl: 64 }])
  })

  test('a published port reaches the container, with the address of who asks and a hop less', async () => {
    const listener = { ns: C, port: port(80) }
    const account = await attempt({ send: 'tcp', ns: O, to: ip('192.0.2.1'), port: port(8080), listener, size: 5000 })
    expect(account).toMatchObject({ ending: 'answered', answer: { from: ip('192.0.2.1'), ttl: 63 } })
    expect(account.arrivals).toEqual([{ ns: C, from: ip('192.0.2.9'), to: ip('10.0.0.2'), port: 80, ttl: 63 }])
  })

  test('what leaves is masqueraded', async () => {
    const listener = { ns: O, port: port(53) }
    const account = await attempt({ send: 'udp', ns: D, to: ip('192.0.2.9'), port: port(53), listener, size: 30 })
    expect(account.ending).toBe('answered')
    expect(account.arrivals).toEqual([{ ns: O, from: ip('192.0.2.1'), to: ip('192.0.2.9'), port: 53, ttl: 63 }])
  })

  test('where nobody listens, it is refused', async () => {
    const to = ip('10.0.0.3')
    for (const send of ['udp', 'tcp'] as const)
      expect(await attempt({ send, ns: C, to, port: port(9), listener: null })).toMatchObject({
        ending: { errno: 'ECONNREFUSED' },
        answer: send === 'udp' ? null : { from: to },
      })
  })

  test('a TTL that runs out is an error, told to a ping', async () => {
    const account = await attempt({ send: 'ping', ns: C, to: ip('192.0.2.9'), ttl: 1 })
    expect(account.ending).toEqual({ errno: 'EHOSTUNREACH' })
    expect(crossed(account, 'error')).toEqual(['c eth0 in', 'h br0 out', 'h vc out'].map((at) => `${at} error`))
  })

  test('what has no way, or no source, does not begin', async () => {
    const to = ip('203.0.113.1')
    expect((await attempt({ send: 'ping', ns: O, to })).ending).toEqual({ errno: 'ENETUNREACH' })
    const from = ip('10.9.9.9')
    expect(
      (await attempt({ send: 'udp', ns: C, to: ip('10.0.0.3'), from, port: port(9), listener: null })).ending,
    ).toEqual({
      errno: 'EADDRNOTAVAIL',
    })
  })

  test('where nobody answers there is silence', async () => {
    expect((await attempt({ send: 'ping', ns: C, to: ip('10.0.0.99') })).ending).toBe('silence')
  })

  test('a frame of a MAC that nobody has is seen wherever it is flooded to', async () => {
    const [src, dst] = [ip('10.0.0.2'), ip('10.0.0.3')]
    if (!isIp4(src) || !isIp4(dst)) throw new Error('both are of IPv4')
    const echo = { proto: 'icmp', type: 'echo-request', id: 1, seq: 1, payload: new Uint8Array(8) } as const
    const bytes = encodeFrame(frame(mac(0x020000000077), BROADCAST, packet4(src, dst, echo)))
    const account = await attempt({ send: 'frame', ns: C, dev: ifName('eth0'), bytes })
    expect(account.ending).toBe('sent')
    expect(crossed(account, 'frame')).toContain('d eth0 in frame')
    expect(crossed(account, 'frame')).toContain('h br0 in frame')
  })
})
