// What comes in by a tap, from the program at its other end. Source: drivers/net/tun.c, Documentation/networking/tuntap.rst;
// tools/testing/selftests/net/tun.c has the life of such devices.

import { ping, rawFrame, type Scenario } from './scenario.ts'

const [HERE, THERE] = ['02:00:00:00:0a:01', '02:00:00:00:0b:01']
const A = { src: '10.0.1.9', dst: '10.0.1.1' }

/** A frame as `rawFrame`, but by a tap. */
const byTap = (...words: Parameters<typeof rawFrame>): ReturnType<typeof rawFrame> => {
  const attempt = rawFrame(...words)
  return attempt.send === 'frame' ? { ...attempt, send: 'tap' } : attempt
}

/** A router with a tap, and a host behind it. */
const ROUTED = `
  ip -n r tuntap add dev t0 mode tap
  ip -n r link set t0 address ${HERE} up
  ip -n r address add 10.0.1.1/24 dev t0
  ip -n r link add r0 type veth peer name eth0 netns h
  ip -n r link set r0 up
  ip -n r address add 10.0.2.1/24 dev r0
  ip -n h link set eth0 up
  ip -n h address add 10.0.2.2/24 dev eth0
  ip -n h route add default via 10.0.2.1`

const on = (title: string, steps: Scenario['steps'], network = ROUTED): Scenario => ({
  title,
  source: 'net/tun.c',
  spaces: ['r', 'h'],
  routers: ['r'],
  network,
  steps,
})

export const TAP: ReadonlyArray<Scenario> = [
  on('a tap that no program holds has no carrier, and nothing goes out by it', [
    { shows: 'ip -n r link show t0', words: ['NO-CARRIER'] },
    { attempt: ping('h', '10.0.1.9'), expect: { notAt: ['r t0 out'] } },
  ]),
  on('what a program writes into a tap comes in by it', [
    { attempt: byTap('r', 't0', { src: THERE, dst: HERE }, A), expect: { ends: 'sent', at: ['r t0 in'] } },
    { shows: 'ip -n r link show t0', words: ['NO-CARRIER'] },
  ]),
  on('and is forwarded like what comes by a cable', [
    {
      attempt: byTap('r', 't0', { src: THERE, dst: HERE }, { src: '10.0.1.9', dst: '10.0.2.2' }),
      expect: {
        ends: 'sent',
        at: ['r t0 in', 'r r0 out', 'h eth0 in'],
      },
    },
  ]),
  on('a frame for somebody else is seen, and goes no further', [
    {
      attempt: byTap('r', 't0', { src: THERE, dst: '02:00:00:00:0c:01' }, { src: '10.0.1.9', dst: '10.0.2.2' }),
      expect: { ends: 'sent', at: ['r t0 in'], notAt: ['r r0 out'] },
    },
  ]),
  on('a tap that is down takes nothing', [
    { run: 'ip -n r link set t0 down' },
    { attempt: byTap('r', 't0', { src: THERE, dst: HERE }, A), expect: { ends: { errno: 'EIO' }, notAt: ['r t0 in'] } },
  ]),
  on('only a tap has a program at its other end', [
    { attempt: byTap('r', 'r0', { src: THERE, dst: HERE }, A), expect: { ends: { errno: 'EINVAL' } } },
    { attempt: byTap('r', 'none', { src: THERE, dst: HERE }, A), expect: { ends: { errno: 'ENODEV' } } },
  ]),
  on(
    'a tap is a port of a bridge, and the bridge learns who is behind it',
    [
      {
        attempt: byTap('r', 't0', { src: THERE }, { src: '10.0.2.9', dst: '10.0.2.2' }),
        expect: { ends: 'sent', at: ['r t0 in', 'r br0 in', 'h eth0 in'] },
      },
    ],
    `
  ip -n r link add br0 type bridge
  ip -n r link set br0 up
  ip -n r tuntap add dev t0 mode tap
  ip -n r link set t0 master br0 up
  ip -n r link add p1 type veth peer name eth0 netns h
  ip -n r link set p1 master br0 up
  ip -n h link set eth0 up
  ip -n h address add 10.0.2.2/24 dev eth0`,
  ),
]
