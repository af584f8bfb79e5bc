// Several hosts and what joins them, in cnm's own words: on the simulated kernel, and on Linux, where a host is a namespace and a segment a
// bridge. What differs by nature (netem, which this machine's kernel may lack) is told apart.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { labOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { linuxRoom, type Room, shellRoom } from './rooms.ts'

/** Each line, how it ends, and what it says. */
type Fact = readonly [line: string, status: number, says: string]

const TWO_HOSTS: ReadonlyArray<Fact> = [
  ['hosts', 0, 'host (here)\n'],
  ['host add h2', 0, ''],
  ['host add h2', 1, 'host: there is a host "h2" already\n'],
  [
    'host add abcdefghijklmnop',
    1,
    'host: "abcdefghijklmnop" cannot be the name of a host (1 to 15 letters, digits or "_")\n',
  ],
  ['host add', 255, 'Usage: host [list] | host NAME | host add NAME\n'],
  ['host h9', 1, 'host: there is no host "h9"; "hosts" says which there are\n'],
  ['segment add lan', 0, ''],
  ['segment add lan', 1, 'segment: there is a segment "lan" already\n'],
  ['segment add b:c', 1, 'segment: "b:c" cannot be the name of a segment (1 to 15 letters, digits or "_")\n'],
  ['segment add wan loss 200%', 1, 'segment: "200%" is no loss\n'],
  ['segment add wan delay', 1, 'segment: "" is no delay\n'],
  ['segment add wan delay 5', 1, 'segment: "5" is no delay\n'],
  ['segment set wan delay 5ms', 1, 'segment: there is no segment "wan"; "segment add wan" makes one\n'],
  ['plug host eth0 lan', 0, ''],
  ['plug host eth0 lan', 1, 'plug: host "host" has a device "eth0" already\n'],
  ['plug h2 eth0 wan', 1, 'plug: there is no segment "wan"; "segment add wan" makes one\n'],
  ['plug h9 eth0 lan', 1, 'plug: there is no host "h9"; "host add h9" makes one\n'],
  ['plug h2 abcdefghijklmnop lan', 1, 'plug: "abcdefghijklmnop" cannot be the name of a device\n'],
  ['plug h2 eth0', 255, 'Usage: plug HOST DEV SEGMENT\n'],
  ['plug h2 eth0 lan', 0, ''],
  ['segment', 0, 'lan\n    host/eth0\n    h2/eth0\n'],
  ['ip addr add 10.5.0.1/24 dev eth0', 0, ''],
  ['ip link set eth0 up', 0, ''],
  ['ip netns add red', 0, ''],
  ['host h2', 0, ''],
  ['hosts', 0, 'h2 (here)\nhost\n'],
  ['ip netns', 0, ''],
  ['ip netns add red', 0, ''],
  ['ip netns del red', 0, ''],
  ['ip addr add 10.5.0.2/24 dev eth0', 0, ''],
  ['ip link set eth0 up', 0, ''],
  ['ping -c 1 -q 10.5.0.1 && echo there', 0, 'there\n'],
  ['cut lan h2', 0, ''],
  ['segment', 0, 'lan cut h2\n    host/eth0\n    h2/eth0\n'],
  ['ping -c 1 -W 1 -q 10.5.0.1 || echo away', 0, 'away\n'],
  ['heal lan', 0, ''],
  ['ping -c 1 -W 4 -q 10.5.0.1 && echo there', 0, 'there\n'],
  ['cut lan', 0, ''],
  ['ping -c 1 -W 1 -q 10.5.0.1 || echo away', 0, 'away\n'],
  ['heal lan', 0, ''],
  ['ping -c 1 -W 4 -q 10.5.0.1 && echo there', 0, 'there\n'],
  ['cut wan', 1, 'cut: there is no segment "wan"; "segment add wan" makes one\n'],
  ['cut lan h9', 1, 'cut: there is no host "h9"; "host add h9" makes one\n'],
  ['heal', 255, 'Usage: heal SEGMENT\n'],
  ['host host', 0, ''],
  ['ip netns', 0, 'red\n'],
]

/** Of what was said, the last line: what ping says of times is its own. */
const answersOf = async (room: Room, facts: ReadonlyArray<Fact>): Promise<ReadonlyArray<Fact>> => {
  const answers: Fact[] = []
  for (const [line] of facts) {
    const { status, stdout, stderr } = await room.run(line)
    const said = stdout + stderr
    answers.push([line, status, line.startsWith('ping') ? said.split('\n').slice(-2).join('\n') : said])
  }
  return answers
}

describe('two hosts on a segment, on the simulated kernel', () => {
  test('are made, joined, parted and joined again', async () => {
    expect(await answersOf(shellRoom(simTerminal()), TWO_HOSTS)).toEqual(TWO_HOSTS)
  })

  test('a segment is as good as it is said to be', async () => {
    const room = shellRoom(simTerminal())
    for (const line of ['segment add lan delay 5ms rate 1mbit', 'segment set lan loss 0.5% jitter 100us reorder 0'])
      expect([line, (await room.run(line)).status]).toEqual([line, 0])
    expect((await room.run('segment')).stdout).toBe('lan delay 5ms jitter 0.1ms loss 0.5% rate 1000kbit\n')
  })

  test('the same words come to the same, loss and all', async () => {
    const lines = [
      'segment add lan delay 1ms jitter 1ms loss 30%',
      'host add h2',
      'plug host eth0 lan',
      'plug h2 eth0 lan',
      'ip addr add 10.5.0.1/24 dev eth0',
      'ip link set eth0 up',
      'host h2',
      'ip addr add 10.5.0.2/24 dev eth0',
      'ip link set eth0 up',
      'ping -c 20 -i 0.1 10.5.0.1',
    ]
    const said = async (): Promise<string> => {
      const room = shellRoom(simTerminal())
      let last = ''
      for (const line of lines) last = (await room.run(line)).stdout
      return last
    }
    const first = await said()
    expect(first).toMatch(/20 packets transmitted, 1?\d received/)
    expect(await said()).toBe(first)
  })

  test("a card of a namespace that goes is the machine's again", async () => {
    const room = shellRoom(simTerminal())
    const lines = ['segment add lan', 'plug host eth0 lan', 'ip netns add red', 'ip link set eth0 netns red']
    for (const line of lines) await room.run(line)
    expect((await room.run('segment')).stdout).toBe('lan\n    host/red/eth0\n')
    await room.run('ip netns del red')
    expect((await room.run('segment')).stdout).toBe('lan\n    host/eth0\n')
    // Its name is taken at home: it has one by its number there.
    for (const line of ['ip netns add red', 'ip link set eth0 netns red', 'ip link add eth0 type bridge'])
      await room.run(line)
    await room.run('ip netns del red')
    expect((await room.run('segment')).stdout).toMatch(/^lan\n {4}host\/dev\d+\n$/)
  })
})

needs.kernel('two hosts on a segment, on Linux', () => {
  const lab = labOf(ownLab('network'))
  let room: Room
  beforeAll(async () => {
    room = await linuxRoom(lab)
  })
  afterAll(async () => {
    await room?.close()
  })

  test('are made, joined, parted and joined again', { timeout: 60_000 }, async () => {
    expect(await answersOf(room, TWO_HOSTS)).toEqual(TWO_HOSTS)
  })

  test('a segment is worse than perfect where the kernel has netem, and is refused where it has not', async () => {
    const { status, stderr } = await room.run('segment add wan loss 10%')
    if (status !== 0)
      expect(stderr).toMatch(/^segment: the kernel of this machine cannot do "loss 10%" \(tc-netem\(8\)\): /)
    const wan = status === 0 ? 'wan loss 10%\n' : ''
    expect((await room.run('segment')).stdout).toBe(`lan\n    host/eth0\n    h2/eth0\n${wan}`)
  })
})
