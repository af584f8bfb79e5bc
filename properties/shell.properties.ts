// The shell never dies: whatever is typed, every command that was read has a status of a process and an answer, and a text that cannot be
// read is refused with a line and a sentence.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hold } from '../src/cli/shell/hold.ts'
import { simTerminal } from '../src/cli/shell/sim-terminal.ts'
import { HOST } from '../src/net/name.ts'
import { E } from '../src/prelude.ts'
import { completions } from '../src/shell/complete.ts'
import { readScript, wordsOf } from '../src/shell/line/script.ts'
import { newShell, step } from '../src/shell/shell.ts'
import type { Terminal } from '../src/shell/terminal.ts'
import { TUTORIAL } from '../test/shell/tutorial.ts'
import '../test/lib/runs.ts'

/** Programs that look at packets, hosts and what joins them, and what goes on beside the commands. */
const PACKETS = [
  'ping -c 2 -i 0.2 -s 1400 -M do -t 3 10.1.1.2',
  'ping -q -W 1 -I veth0 -w 2 -n 10.1.1.2',
  'ping6 -c 1 fe80::1%veth0',
  'ip netns exec red ping -c 1 10.1.1.1',
  'arping -c 2 -I veth0 10.1.1.2',
  'arping -D -w 1 -s 10.1.1.1 10.1.1.2',
  'traceroute -n -I -m 3 -q 1 -w 1 10.1.1.2',
  'traceroute -T -p 80 -f 2 -i veth0 10.2.0.1',
  'nc -z -v -w 1 10.1.1.2 80',
  'echo hi | nc -u -N 10.1.1.2 80',
  'ip netns exec red nc -l 80 &',
  'nc -k -l 10.1.1.1 81 &',
  'tcpdump -i veth0 -n -c 2 icmp and host 10.1.1.2 &',
  'tcpdump -i any -e -t tcp port 80 &',
  'jobs',
  'wait %1',
  'kill %1',
  'why',
  'sleep 1.5',
  'snapshot a',
  'back a',
  'host add h2',
  'host h2',
  'hosts',
  'segment add lan delay 5ms jitter 1ms loss 1% duplicate 1% reorder 1% rate 100mbit',
  'segment set lan loss 50%',
  'segment',
  'plug h2 eth0 lan',
  'plug host eth0 lan',
  'cut lan h2',
  'heal lan',
  'ip route get 10.2.3.4 from 10.1.1.1 iif veth0 mark 5 tos 0x10',
  'ip -6 route get 2001:db8:2::1 oif veth0',
]
const COMMANDS = [...TUTORIAL.map(([line]) => line), ...PACKETS]
const WORDS = [...new Set(COMMANDS.flatMap((line) => line.split(' ')))]
/** Something for packets to meet: two namespaces and a veth, and two hosts on a segment. */
const FURNITURE = [
  ...COMMANDS.slice(0, 15),
  'segment add lan delay 1ms',
  'host add h2',
  'plug host eth9 lan',
  'plug h2 eth9 lan',
]
const ODD = [
  '',
  '-',
  '--',
  '0',
  '-1',
  '999999999999',
  '0x',
  'a'.repeat(16),
  'a/b',
  '..',
  'default',
  '::',
  '1.2.3',
  'fe80::%1',
  "'",
  '"',
]

/** A known command with a word left out, doubled, or put in the place of another. */
const mutated = fc
  .record({
    line: fc.constantFrom(...COMMANDS),
    at: fc.nat(12),
    how: fc.constantFrom('drop', 'double', 'replace', 'insert', 'cut'),
    word: fc.oneof(fc.constantFrom(...WORDS), fc.constantFrom(...ODD), fc.string({ maxLength: 20 })),
  })
  .map(({ line, at, how, word }) => {
    const words = line.split(' ')
    const place = at % words.length
    const old = words[place] ?? ''
    if (how === 'cut') return words.slice(0, place).join(' ')
    const put = { drop: [], double: [old, old], replace: [word], insert: [word, old] }[how]
    return [...words.slice(0, place), ...put, ...words.slice(place + 1)].join(' ')
  })
const typed = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...COMMANDS) },
  { weight: 6, arbitrary: mutated },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...WORDS, ...ODD), { maxLength: 8 }).map((words) => words.join(' ')),
  },
)

/** Files are the machine's, and none of a property's. */
const withoutFiles = (): Terminal =>
  simTerminal(undefined, { read: () => null, write: () => 'No such file or directory' })

describe('the shell never dies', () => {
  test('every command ends with a status, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(typed, { maxLength: 12 }), async (isFurnished, more) => {
        const lines = isFurnished ? [...FURNITURE, ...more] : more
        const terminal = withoutFiles()
        let shell = newShell(HOST)
        for (const line of lines) {
          const script = readScript(line)
          if (E.isLeft(script)) {
            expect(script.left.line).toBeGreaterThan(0)
            expect(script.left.what).not.toBe('')
            continue
          }
          for (const [at, command] of script.right.entries()) {
            const next = await hold(terminal, step(shell, command, script.right[at + 1] ?? null))
            if (E.isLeft(next)) throw new Error(next.left.what)
            const { done } = next.right
            // A failure without a word is one of false, exit, nc and sh only.
            if (done !== null) {
              expect(Number.isInteger(done.status) && done.status >= 0 && done.status <= 255).toBe(true)
              const name = wordsOf(command, 0)[0] ?? ''
              if (
                done.status !== 0 &&
                /^(ip|bridge|sysctl|nft|ping|arping|traceroute|host|segment|plug|cut|heal)$/.test(name) &&
                !/\b(sh|bash|false|exit)\b/.test(line)
              )
                expect(done.stderr + done.stdout).not.toBe('')
            }
            shell = { ...next.right.shell, ended: null }
          }
        }
      }),
    )
  })

  test('completion has an answer, of words that begin as what was typed', async () => {
    await fc.assert(
      fc.asyncProperty(typed, async (line) => {
        const words = line.split(/\s+/)
        const found = await hold(withoutFiles(), completions(newShell(HOST), words))
        if (E.isLeft(found)) throw new Error(found.left.what)
        for (const word of found.right) expect(word.startsWith(words.at(-1) ?? '')).toBe(true)
      }),
    )
  })
})
