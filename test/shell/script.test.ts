// How lines are read: words, quotes and operators as sh(1) has them, and what is refused.

import { describe, expect, test } from 'vitest'
import { hold } from '../../src/cli/shell/hold.ts'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { HOST } from '../../src/net/name.ts'
import { isOpen, readScript, wordsOf } from '../../src/shell/line/script.ts'
import { splitWords } from '../../src/shell/line/words.ts'
import { newShell, step } from '../../src/shell/shell.ts'
import { leftOf, rightOf } from '../kernel-linux/labs.ts'

const words = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  rightOf(readScript(text)).map((command) => wordsOf(command, 7))

describe('words', () => {
  test.each([
    ['ip link', [['ip', 'link']]],
    ['echo \'a  b\' "c d"', [['echo', 'a  b', 'c d']]],
    ['echo a\\ b \\;', [['echo', 'a b', ';']]],
    ['echo "a\\"b\\n"', [['echo', 'a"b\\n']]],
    ["echo ''", [['echo', '']]],
    ['echo a#b # c', [['echo', 'a#b']]],
    ['# nothing', []],
    ['echo a \\\n  b', [['echo', 'a', 'b']]],
    ['a; b\nc', [['a'], ['b'], ['c']]],
    ['a | b & c', [['a'], ['b'], ['c']]],
    ['a &&\n\n b', [['a'], ['b']]],
    ['echo $? "$?"', [['echo', '7', '7']]],
    ['nft add chain ip t c { type nat \\; }', [['nft', 'add', 'chain', 'ip', 't', 'c', '{', 'type', 'nat', ';', '}']]],
  ] as const)('of %j', (text, wanted) => {
    expect(words(text)).toEqual(wanted)
  })

  test.each([
    ['| nc', 1, 'there is no command before "|"'],
    ['& nc', 1, 'there is no command before "&"'],
    ['echo a |', 1, 'a command is missing at the end'],
    ['ip link\nip a > x', 2, 'redirections are not in the shell'],
    ['ip link set $DEV up', 1, 'variables and substitutions are not in the shell, but for $?'],
    ['DEV=x', 1, 'variables are not in the shell'],
    ['if true; then ip link; fi', 1, '"if" is not in the shell'],
    ["echo 'a", 1, 'a quote is not closed'],
    ['a &&', 1, 'a command is missing at the end'],
    ['&& a', 1, 'there is no command before "&&"'],
    ['(ip link)', 1, 'subshells and functions are not in the shell'],
  ])('%j is refused', (text, line, what) => {
    expect(leftOf(readScript(text))).toEqual({ line, what })
  })

  test('a line that is not whole goes on in the next', () => {
    expect(['echo "a', 'ip link \\', 'true &&', 'echo a |'].map(isOpen)).toEqual([true, true, true, true])
    expect(['echo "a"', 'ip link', 'ip | a', 'echo \\\\'].map(isOpen)).toEqual([false, false, false, false])
  })

  test('of a batch are split as iproute2 splits them', () => {
    expect(splitWords('  link set "a b" alias \'c\' # d')).toEqual(['link', 'set', 'a b', 'alias', 'c'])
  })
})

const run = async (text: string, errexit = false): Promise<readonly [out: string, status: number]> => {
  const terminal = simTerminal()
  let shell = newShell(HOST, errexit)
  let out = ''
  const script = rightOf(readScript(text))
  for (const [at, command] of script.entries()) {
    const next = rightOf(await hold(terminal, step(shell, command, script[at + 1] ?? null)))
    shell = next.shell
    out += next.done === null ? '' : next.done.stdout + next.done.stderr
    if (shell.ended !== null) break
  }
  return [out, shell.ended ?? shell.last]
}

describe('commands', () => {
  test.each([
    ['true && echo a || echo b', 'a\n', 0],
    ['false && echo a || echo b', 'b\n', 0],
    ['false || false; echo $?', '1\n', 0],
    ['set -e\nfalse\necho no', '', 1],
    ['set -e\nfalse || echo yes\nfalse && echo no\necho on', 'yes\non\n', 0],
    ['exit 3; echo no', '', 3],
    ["sh -c 'echo a; exit 4'; echo $?", 'a\n4\n', 0],
    ['frobnicate', 'not in the simulation: frobnicate\n', 127],
    ['ip netns add red; ip netns exec red sh; ip netns identify; exit; ip netns identify', 'red\n\n', 0],
    [
      'ip netns add red; ip netns exec red ip -br link',
      'lo               DOWN           00:00:00:00:00:00 <LOOPBACK> \n',
      0,
    ],
    ['sudo ip -br link', 'lo               DOWN           00:00:00:00:00:00 <LOOPBACK> \n', 0],
    ['ip link add br0 type bridge; snapshot; ip link del br0; back; ip link show br0 up', '', 0],
    ['back nosuch', 'back: there is no snapshot "nosuch"; "snapshot nosuch" makes one\n', 1],
    ['why', 'why: no packet has died\n', 1],
    ['hosts', 'host (here)\n', 0],
    ['host h9', 'host: there is no host "h9"; "hosts" says which there are\n', 1],
    ['sysctl kernel.hostname=x', 'not in the simulation: sysctl kernel.hostname\n', 127],
    ['sysctl net.//.kernel.hostname', 'not in the simulation: sysctl net.//.kernel.hostname\n', 127],
  ])('%j', async (text, out, status) => {
    expect(await run(text)).toEqual([out, status])
  })

  test('with -e end at the first that fails', async () => {
    expect(await run('false\necho no', true)).toEqual(['', 1])
  })

  test('that send packets tell why they died', async () => {
    const [out, status] = await run('ip link set lo up; ping -c 1 127.0.0.1 && ping 10.9.9.9; nc -zv 127.0.0.1 80; why')
    expect(out).toContain('1 packets transmitted, 1 received, 0% packet loss')
    expect(out).toContain('ping: connect: Network is unreachable')
    expect(out).toContain('nc: connect to 127.0.0.1 port 80 (tcp) failed: Connection refused')
    expect(status).toBe(0)
  })
})
