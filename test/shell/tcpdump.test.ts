// What is told of packets is what tcpdump(8) tells of the same packets: a watch writes them to a file, and the real one reads it.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { needs } from '../lib/need.ts'
import { shellRoom } from './rooms.ts'

const SET_UP = `ip netns add left
ip netns add right
ip link add l0 type veth peer name eth0 netns left
ip link add r0 type veth peer name eth0 netns right
ip addr add 10.1.0.1/24 dev l0
ip addr add fd01::1/64 dev l0
ip link set l0 up
ip addr add 10.2.0.1/24 dev r0
ip addr add fd02::1/64 dev r0
ip link set r0 up
ip -n left link set eth0 up
ip -n left addr add 10.1.0.2/24 dev eth0
ip -n left addr add fd01::2/64 dev eth0
ip -n right link set eth0 up
ip -n right addr add 10.2.0.2/24 dev eth0
ip -n right addr add fd02::2/64 dev eth0
ip -n left route add default via 10.1.0.1
ip -n left route add default via fd01::1
ip -n right route add default via 10.2.0.1
ip -n right route add default via fd02::1
sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip route add prohibit 10.3.0.0/24
ip route add prohibit fd03::/64
ip -n left link add vx0 type vxlan id 42 remote 10.2.0.2 dstport 4789 dev eth0
ip -n left addr add 10.9.0.1/24 dev vx0
ip -n left link set vx0 up
ip -n right link add vx0 type vxlan id 42 remote 10.1.0.2 dstport 4789 dev eth0
ip -n right addr add 10.9.0.2/24 dev vx0
ip -n right link set vx0 up`

/** Answers, errors, fragments, tunnels, conversations, questions of the link. */
const TRAFFIC = `ip netns exec left ping -c 2 10.2.0.2
ip netns exec left ping -c 1 10.2.0.9
ip netns exec left ping -c 1 -t 1 10.2.0.2
ip netns exec left ping -c 1 10.3.0.9
ip netns exec left ping -c 1 10.5.0.9
ip netns exec left ping -c 1 fd02::2
ip netns exec left ping -c 1 fd02::9
ip netns exec left ping -c 1 fd03::9
ip netns exec left ping -c 1 -t 1 fd02::2
ip netns exec left ping -c 1 10.9.0.2
ip netns exec left ping -c 1 -s 2000 10.2.0.2
ip netns exec left ping -c 1 -s 2000 fd02::2
ip link set r0 mtu 1400
ip netns exec left ping -c 1 -s 1450 -M do 10.2.0.2
ip netns exec left ping -c 1 -s 1400 fd02::2
ip netns exec left arping -c 1 -I eth0 10.1.0.1
ip netns exec left arping -c 1 -U -I eth0 10.1.0.2
ip netns exec left arping -c 1 -D -I eth0 10.1.0.77
ip netns exec left nc -z 10.2.0.2 80
ip netns exec left nc -zu 10.2.0.2 80
ip netns exec left nc -zu fd02::2 80
ip netns exec right nc -l 5000 &
echo hi there | ip netns exec left nc -N 10.2.0.2 5000
ip netns exec right nc -l 5000 &
echo hi there | ip netns exec left nc -N fd02::2 5000
ip netns exec right nc -lu 5000 &
echo hi there | ip netns exec left nc -u -w 1 10.2.0.2 5000`

needs.programs('tcpdump')('tcpdump', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-tcpdump-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const told = async (options: string): Promise<string> => {
    const room = shellRoom(simTerminal())
    for (const line of SET_UP.split('\n')) expect([line, (await room.run(line)).status]).toEqual([line, 0])
    await room.run(`ip netns exec left tcpdump -i eth0 -n ${options} &`)
    for (const line of TRAFFIC.split('\n')) await room.run(line)
    return (await room.run('kill %1')).stdout
  }

  test.each([
    '-t',
    '-t -e',
    '-t icmp',
    '-t arp',
    '-t tcp port 5000',
    '-t src 10.2.0.2 and udp',
    '-t icmp6 and host fd02::2',
  ])('tells of packets as the real one does, with %s', async (options) => {
    const file = join(folder, 'capture.pcap')
    await told(`-w ${file}`)
    const words = ['-n', '-r', file, ...options.split(' ')]
    const real = spawnSync('tcpdump', words, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
    expect(real.stdout.split('\n').length).toBeGreaterThan(3)
    expect((await told(options)).trimEnd()).toBe(real.stdout.trimEnd())
  })
})
