// cnm shell as a user starts it: scripts, -c, --json, statuses; and on Linux, where nothing may be left behind.

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { needs } from '../lib/need.ts'
import { cnm, namespacesOfLabs } from './cnm.ts'

const SCRIPTS = readdirSync('examples/shell').filter((name) => name.endsWith('.sh'))

describe('cnm shell', () => {
  test.each(SCRIPTS)('runs examples/shell/%s', async (name) => {
    const { exit, err } = await cnm(['shell', `examples/shell/${name}`])
    // What goes wrong is what the lesson is about; what is not understood is not.
    expect([exit, /^cnm:|not in the simulation|not found/m.test(err)]).toEqual([0, false])
  })

  test('runs what -c says, and ends as its last command did', async () => {
    expect(
      await cnm(['shell', '-c', 'ip link add br0 type bridge && ip -br link show br0; ip link show nosuch']),
    ).toEqual({
      exit: 1,
      out: expect.stringMatching(/^br0 {14}DOWN {11}\S+ <BROADCAST,MULTICAST> \n$/),
      err: 'Device "nosuch" does not exist.\n',
    })
  })

  test('reads the standard input', async () => {
    expect((await cnm(['shell'], { input: 'ip -br link\n' })).out).toContain('lo ')
  })

  test('tells of each command with --json', async () => {
    const { out } = await cnm(['shell', '--json', '-c', "echo 'a b'; ip frob"])
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { command: "echo 'a b'", status: 0, stdout: 'a b\n', stderr: '' },
      { command: 'ip frob', status: 1, stdout: '', stderr: 'Object "frob" is unknown, try "ip help".\n' },
    ])
  })

  test('says where a script cannot be read, and runs nothing of it', async () => {
    const { exit, out, err } = await cnm(['shell', '-'], { input: 'echo a\nip link > links\n' })
    expect([exit, out, err]).toEqual([2, '', 'cnm: -:2: redirections are not in the shell\n'])
  })

  test('has no such file', async () => {
    expect(await cnm(['shell', 'nosuch.sh'])).toEqual({ exit: 2, out: '', err: 'cnm: nosuch.sh: no such file\n' })
  })
})

/** What a lesson is about: how packets fared, and what it says of that. Loss is chance, and a kernel may have none. */
const gist = (out: string): ReadonlyArray<string> =>
  out
    .split('\n')
    .filter((line) => /packets transmitted|^From |^(r\d|red|now|web) .*(hand|can|reach)/.test(line))
    .filter((line) => !line.startsWith('20 packets'))
    .map((line) => line.replace(/, time \d+ms/, ''))

needs.kernel('cnm shell --kernel linux', () => {
  test.each(SCRIPTS)(
    'comes to the same as the simulated kernel in examples/shell/%s',
    { timeout: 60_000 },
    async (name) => {
      const [linux, sim] = await Promise.all([
        cnm(['shell', '--kernel', 'linux', `examples/shell/${name}`]),
        cnm(['shell', `examples/shell/${name}`]),
      ])
      expect([linux.exit, gist(linux.out)]).toEqual([0, gist(sim.out)])
    },
  )

  test('says of a script what the simulated kernel says, and leaves nothing behind', async () => {
    const commands = `ip link set lo up; ip netns add red; ip link add a0 type veth peer name b0 netns red
ip addr add 10.0.0.1/24 dev a0; ip -4 -j addr; ip route add 10.9.0.0/16 via 10.0.0.2; ip -n red -br link show lo; ip link set nosuch up`
    const linux = await cnm(['shell', '--kernel', 'linux', '-c', commands])
    expect(linux).toEqual(await cnm(['shell', '-c', commands]))
    expect(namespacesOfLabs('shell')).toEqual([])
  })
})
