// Programs that look at packets, on the simulated kernel, whose clock says how long all took; and, where this machine has the real ones,
// on both kernels, alike but for what differs by nature.

import { beforeAll, describe, expect, test } from 'vitest'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { labOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { linuxRoom, type Room, shellRoom } from './rooms.ts'

/** left - this one - right, and a route that this one refuses. */
const ROUTER = `ip link set lo up
ip netns add left
ip netns add right
ip link add l0 type veth peer name eth0 netns left
ip link add r0 type veth peer name eth0 netns right
ip addr add 10.1.0.1/24 dev l0
ip link set l0 up
ip addr add 10.2.0.1/24 dev r0
ip link set r0 up
ip addr add fd01::1/64 dev l0
ip -n left link set lo up
ip -n left addr add 10.1.0.2/24 dev eth0
ip -n left addr add fd01::2/64 dev eth0
ip -n left link set eth0 up
ip -n right addr add 10.2.0.2/24 dev eth0
ip -n right link set eth0 up
ip -n left route add default via 10.1.0.1
ip -n right route add default via 10.2.0.1
sysctl -w net.ipv4.ip_forward=1
ip route add prohibit 10.3.0.0/24
ip -n left route add unreachable 10.4.0.0/24`

const told = async (room: Room, line: string): Promise<readonly [number, string]> => {
  const { status, stdout, stderr } = await room.run(line)
  return [status, stdout + stderr]
}
const inSim = async (setUp = ROUTER): Promise<Room> => {
  const room = shellRoom(simTerminal())
  for (const line of setUp.split('\n')) expect([line, (await room.run(line)).status]).toEqual([line, 0])
  return room
}
const LEFT = 'ip netns exec left'

/** What both kernels say, by the command. Times, loss of what comes later and the numbers of conversations are not looked at. */
const PINGS: ReadonlyArray<string> = [
  'ping -c 2 -i 0.2 10.2.0.2',
  'ping -q -c 1 10.2.0.2',
  'ping -c 1 -s 8 10.2.0.2',
  'ping -c 1 -n -I eth0 10.2.0.2',
  'ping -c 1 -I 10.1.0.2 10.2.0.2',
  'ping -c 1 -I nosuch 10.2.0.2',
  'ping -c 1 -I 10.1.0.9 10.2.0.2',
  'ping -c 1 -t 1 10.2.0.2',
  'ping -c 1 10.3.0.9',
  'ping -c 1 10.4.0.9',
  'ping -c 1 10.9.0.9',
  'ping -c 1 -W 1 10.1.0.9',
  'ping -c 1 10.1.0.9',
  'ping -c 1 10.1.0.255',
  'ping -c 1 -M do -s 2000 10.2.0.2',
  'ping -c 1 -w 1 -W 1 10.1.0.9',
  'ping -c 1 fd01::1',
  'ping6 -c 1 fd01::1',
  'ping -6 -c 1 -I eth0 fd01::1',
  'ping -c 1 fd09::1',
  'ping -4 -c 1 fd01::1',
  'ping -6 -c 1 10.2.0.2',
  'ping -c 1 fe80::1%nosuch',
  'ping -c 0 10.2.0.2',
  'ping -c x 10.2.0.2',
  'ping -t 300 10.2.0.2',
  'ping -s x 10.2.0.2',
  'ping -M maybe 10.2.0.2',
  'ping',
]

/** Times, and whatever a resolver says of names. */
const timeless = (text: string): string =>
  text
    .replace(/time[= ][\d.]+ ?ms/g, 'TIME')
    .replace(/= [\d./]+ ms/g, 'TIMES')
    .replace(/^\n?Usage[\s\S]*/m, 'Usage')

needs.kernel('ping', () => {
  const lab = labOf(ownLab('packets'))
  test('says the same on both kernels', { timeout: 120_000 }, async () => {
    const sim = await inSim()
    const linux = await linuxRoom(lab)
    try {
      for (const line of ROUTER.split('\n')) await linux.run(line)
      const [there, wanted]: [unknown[], unknown[]] = [[], []]
      for (const ping of PINGS) {
        const line = `${LEFT} ${ping}`
        for (const [room, all] of [
          [sim, there],
          [linux, wanted],
        ] as const) {
          const { status, stdout, stderr } = await room.run(line)
          all.push({ line, status, stdout: timeless(stdout), stderr: timeless(stderr) })
        }
      }
      expect(there).toEqual(wanted)
    } finally {
      await linux.close()
    }
  })
})

describe('ping', () => {
  test('takes the time that its packets take', async () => {
    const room = await inSim(`host add h2
segment add lan delay 5ms
plug host eth0 lan
plug h2 eth0 lan
ip addr add 10.5.0.1/24 dev eth0
ip link set eth0 up
host h2
ip addr add 10.5.0.2/24 dev eth0
ip link set eth0 up`)
    expect(await told(room, 'ping -c 2 10.5.0.1')).toEqual([
      0,
      `PING 10.5.0.1 (10.5.0.1) 56(84) bytes of data.
64 bytes from 10.5.0.1: icmp_seq=1 ttl=64 time=20.0 ms
64 bytes from 10.5.0.1: icmp_seq=2 ttl=64 time=10.0 ms

--- 10.5.0.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1000ms
rtt min/avg/max/mdev = 10.000/15.000/20.000/5.000 ms
`,
    ])
  })

  test('tells of packets that come twice', async () => {
    const room = await inSim(`host add h2
segment add lan duplicate 100%
plug host eth0 lan
plug h2 eth0 lan
ip addr add 10.5.0.1/24 dev eth0
ip link set eth0 up
host h2
ip addr add 10.5.0.2/24 dev eth0
ip link set eth0 up`)
    const [, text] = await told(room, 'ping -c 2 10.5.0.1')
    expect(text).toContain('icmp_seq=1 ttl=64 time=0.000 ms (DUP!)')
    expect(text).toMatch(/2 packets transmitted, 2 received, \+\d duplicates, 0% packet loss/)
  })
})

describe('on the simulated kernel', () => {
  let room: Room
  beforeAll(async () => {
    room = await inSim()
  })

  test.each([
    [
      'traceroute -n 10.2.0.2',
      0,
      ' 1  10.1.0.1  0.000 ms  0.000 ms  0.000 ms\n 2  10.2.0.2  0.000 ms  0.000 ms  0.000 ms\n',
    ],
    ['traceroute -I -q 1 10.2.0.2', 0, ' 1  10.1.0.1 (10.1.0.1)  0.000 ms\n 2  10.2.0.2 (10.2.0.2)  0.000 ms\n'],
    ['traceroute -n -T -q 1 10.2.0.2', 0, ' 1  10.1.0.1  0.000 ms\n 2  10.2.0.2  0.000 ms\n'],
    ['traceroute -n -q 1 10.3.0.1', 0, ' 1  10.1.0.1  0.000 ms !X\n'],
    ['traceroute -n -q 1 10.9.0.1', 0, ' 1  10.1.0.1  0.000 ms !N\n'],
    ['traceroute -n -q 1 -m 1 10.2.0.2', 0, ', 1 hops max, 60 byte packets\n 1  10.1.0.1  0.000 ms\n'],
    ['traceroute -n 10.4.0.1', 1, 'connect: No route to host\n'],
    ['traceroute nosuch', 2, 'Name or service not known\nCannot handle "host" cmdline arg `nosuch\' on position 1\n'],
    ['traceroute -q 11 10.2.0.2', 2, 'no more than 10 probes per hop\n'],
    ['arping -c 1 -I eth0 10.1.0.1', 0, 'Sent 1 probes (1 broadcast(s))\nReceived 1 response(s)\n'],
    ['arping -c 3 -I eth0 10.1.0.1', 0, 'Sent 3 probes (1 broadcast(s))\nReceived 3 response(s)\n'],
    ['arping -c 1 10.1.0.9', 1, 'Sent 1 probes (1 broadcast(s))\nReceived 0 response(s)\n'],
    ['arping -D -c 2 -I eth0 10.1.0.1', 1, 'Received 1 response(s)\n'],
    ['arping -D -c 2 -I eth0 10.1.0.9', 0, 'Sent 2 probes (2 broadcast(s))\nReceived 0 response(s)\n'],
    ['arping -I lo 10.1.0.1', 2, 'arping: Interface "lo" is not ARPable\n'],
    ['arping -I nosuch 10.1.0.1', 2, 'arping: Device nosuch not available.\n'],
    ['nc -zv 10.2.0.2 80', 1, 'nc: connect to 10.2.0.2 port 80 (tcp) failed: Connection refused\n'],
    ['nc -zv 10.1.0.9 80', 1, 'nc: connect to 10.1.0.9 port 80 (tcp) failed: No route to host\n'],
    ['nc -zv -w 1 10.1.0.9 80', 1, 'nc: connect to 10.1.0.9 port 80 (tcp) timed out: Operation now in progress\n'],
    ['nc -zv 10.4.0.1 80', 1, 'nc: connect to 10.4.0.1 port 80 (tcp) failed: No route to host\n'],
    ['nc -zu 10.2.0.2 80', 1, ''],
    ['nc -z 10.2.0.2 70000', 1, 'nc: port number invalid: 70000\n'],
    ['nc -l 10.9.9.9 80', 1, 'nc: Cannot assign requested address\n'],
    ['tcpdump -i nosuch', 1, 'tcpdump: nosuch: No such device exists\n(No such device exists)\n'],
    ['tcpdump -i eth0 -c 0', 1, 'tcpdump: invalid packet count 0\n'],
    ['tcpdump -i eth0 port', 1, 'tcpdump: illegal port name: \n'],
  ] as const)('%s', async (line, status, end) => {
    const [ended, text] = await told(room, `${LEFT} ${line}`)
    expect([ended, text.slice(-end.length || text.length)]).toEqual([status, end])
  })

  test('a server is called, and hears what was said', async () => {
    const far = await inSim()
    expect(await told(far, 'ip netns exec right nc -l 80 &')).toEqual([0, ''])
    expect(await told(far, 'ip netns exec right nc -l 80 &')).toEqual([1, 'nc: Address already in use\n'])
    expect(await told(far, 'jobs')).toEqual([0, '[1] nc -l 80 &\n'])
    expect(await told(far, `echo hi | ${LEFT} nc -N 10.2.0.2 80`)).toEqual([0, ''])
    expect(await told(far, 'wait %1')).toEqual([0, 'hi\n'])
    expect(await told(far, `${LEFT} nc -zv 10.2.0.2 80`)).toEqual([
      1,
      'nc: connect to 10.2.0.2 port 80 (tcp) failed: Connection refused\n',
    ])
    expect(await told(far, 'wait %1')).toEqual([127, 'wait: no such job: %1\n'])
  })

  test('a server says what leads to it, over UDP too', async () => {
    const far = await inSim()
    await told(far, 'echo welcome | ip netns exec right nc -l 80 &')
    expect(await told(far, `${LEFT} nc -N 10.2.0.2 80`)).toEqual([0, 'welcome\n'])
    await told(far, 'echo welcome | ip netns exec right nc -lu 80 &')
    expect(await told(far, `echo hi | ${LEFT} nc -u -w 1 10.2.0.2 80`)).toEqual([0, 'welcome\n'])
    expect(await told(far, 'kill %2')).toEqual([0, 'hi\n'])
  })

  test('what lasts without end is interrupted after a minute of the clock', async () => {
    const far = await inSim()
    expect((await told(far, 'ip netns exec right nc -l 80'))[0]).toBe(130)
    expect((await told(far, `${LEFT} ping -i 10 10.2.0.2`))[1]).toContain('6 packets transmitted, 6 received')
  })

  test('goes back to a snapshot with its servers, its hosts and its clock', async () => {
    const far = await inSim()
    await told(far, 'ip netns exec right nc -lk 80 &')
    await told(far, 'snapshot')
    await told(far, 'kill %1')
    await told(far, 'host add h2')
    expect((await told(far, `${LEFT} nc -z 10.2.0.2 80`))[0]).toBe(1)
    await told(far, 'back')
    expect(await told(far, 'hosts')).toEqual([0, 'host (here)\n'])
    expect((await told(far, `${LEFT} nc -z 10.2.0.2 80`))[0]).toBe(0)
  })
})

const wayOf = (text: string): ReadonlyArray<string> =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^ +[\d.]+ ms {2}/, '').replace(/ \(from MAC.*\)$/, ''))

describe('why', () => {
  test('tells the way of the packet that died, and its death', async () => {
    const room = await inSim()
    await told(room, `${LEFT} ping -c 1 10.1.0.1`)
    await told(room, `${LEFT} ping -c 1 10.9.0.9`)
    const [status, text] = await told(room, 'why')
    expect([status, wayOf(text)]).toEqual([
      0,
      [
        'left: sends ICMP echo request 10.1.0.2 to 10.9.0.9, TTL 64',
        'left, eth0: the route to it is eth0 by the gateway 10.1.0.1',
        'left, eth0: the frame leaves',
        'host, l0: the frame arrives',
        'host, l0: dropped ICMP echo request 10.1.0.2 to 10.9.0.9, TTL 64: there is no route to 10.9.0.9',
      ],
    ])
  })

  test.each([
    // It waits still when ping has given up: that it will die is known, and the clock stays where it is.
    ['ping -c 1 -W 1 10.1.0.9', 'nobody on eth0 answers for 10.1.0.9'],
    ['ping -c 1 10.4.0.9', 'says that nobody can reach it'],
    ['nc -z 10.2.0.2 80', 'nothing listens on tcp/80'],
    ['ping -c 1 -t 1 10.2.0.2', 'its TTL is used up'],
    ['ping -c 1 -M do -s 2000 10.2.0.2', 'it has 2028 bytes, and no more than 1500 may go there (MTU)'],
  ])('after %s', async (line, reason) => {
    const room = await inSim()
    await told(room, `${LEFT} ${line}`)
    expect((await told(room, 'why'))[1]).toContain(reason)
  })

  test('tells the way of the question whose answer never left', async () => {
    const room = await inSim()
    await told(room, 'ip -n right route del default')
    await told(room, `${LEFT} ping -c 1 -W 1 10.2.0.2`)
    const way = wayOf((await told(room, 'why'))[1])
    expect(way[0]).toBe('left: sends ICMP echo request 10.1.0.2 to 10.2.0.2, TTL 64')
    expect(way.at(-1)).toBe(
      'right: dropped ICMP echo reply 10.2.0.2 to 10.1.0.2, TTL 64: there is no route to 10.1.0.2',
    )
  })

  test('nothing has died of what arrived, though bridges made copies of it', async () => {
    const room = await inSim(`ip link add br0 type bridge
ip link set br0 up
ip netns add a
ip netns add b
ip netns add c
ip link add a0 type veth peer name eth0 netns a
ip link add b0 type veth peer name eth0 netns b
ip link add c0 type veth peer name eth0 netns c
ip link set a0 master br0 up
ip link set b0 master br0 up
ip link set c0 master br0 up
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n b addr add 10.0.0.2/24 dev eth0
ip -n a link set eth0 up
ip -n b link set eth0 up
ip -n c link set eth0 up`)
    expect((await told(room, 'ip netns exec a ping -c 1 10.0.0.2'))[0]).toBe(0)
    expect(await told(room, 'why')).toEqual([1, 'why: no packet has died\n'])
  })
})

describe('the clock', () => {
  test('makes bridges forget', async () => {
    const room = await inSim(`ip link add br0 type bridge ageing_time 1000
ip link set br0 up
ip netns add a
ip link add a0 type veth peer name eth0 netns a
ip link set a0 master br0 up
ip addr add 10.0.0.9/24 dev br0
ip -n a addr add 10.0.0.1/24 dev eth0
ip -n a link set eth0 up`)
    await told(room, 'ping -c 1 10.0.0.1')
    const learned = async (): Promise<number> =>
      (await told(room, 'bridge fdb show br br0 dynamic'))[1].split('\n').filter((line) => line !== '').length
    expect(await learned()).toBe(1)
    await told(room, 'sleep 9')
    expect(await learned()).toBe(1)
    await told(room, 'sleep 20')
    expect(await learned()).toBe(0)
  })

  test.each([
    ['sleep', 1, "sleep: missing operand\nTry 'sleep --help' for more information.\n"],
    ['sleep soon', 1, "sleep: invalid time interval 'soon'\nTry 'sleep --help' for more information.\n"],
    ['sleep 2d', 127, 'not in the simulation: sleep for more than a day\n'],
    ['sleep 1m 1.5', 0, ''],
  ] as const)('%s', async (line, status, text) => {
    expect(await told(await inSim('true'), line)).toEqual([status, text])
  })
})
