// Completion as a shell does it: the script is read by bash, and asked what fits where the cursor is.

import { execa } from 'execa'
import { beforeAll, describe, expect, test } from 'vitest'
import { findBinary } from '../../scripts/lib/system.mjs'
import { gate } from '../lib/need.ts'
import { cnm } from './cnm.ts'

/** What is behind the cursor does not count; the last word is being written. */
type Line = ReadonlyArray<string>

const CASES: ReadonlyArray<readonly [string, Line, ReadonlyArray<string>]> = [
  ['verbs', ['cnm', 'net'], ['network']],
  ['verbs of a verb', ['cnm', 'network', 'c'], ['create', 'connect']],
  ['verbs after an alias or another word', ['cnm', 'endpoint', ''], ['create', 'ls', 'inspect', 'rm', 'rename']],
  ['options of a verb', ['cnm', 'network', 'create', '--ip-'], ['--ip-range']],
  ['options, short ones too', ['cnm', 'network', 'disconnect', '-f'], ['-f']],
  ['values of an option', ['cnm', 'network', 'ls', '--format', ''], ['table', 'json']],
  ['values that have begun', ['cnm', 'doctor', '--kernel', 's'], ['sim']],
  ['the words an argument may be', ['cnm', 'completion', ''], ['bash', 'zsh']],
  ['nothing for an option that takes any value', ['cnm', 'network', 'create', '--label', ''], []],
  [
    'options after a value that is called as a verb',
    ['cnm', 'network', 'create', '--driver', 'ls', '--dry'],
    ['--dry-run'],
  ],
  ['the help of every verb', ['cnm', 'store', 'check', '--h'], ['--help']],
]

describe('cnm completion bash', () => {
  let script = ''
  beforeAll(async () => {
    script = (await cnm(['completion', 'bash'])).out
  })

  const ask = async (line: Line, print = `printf "%s\\n" "\${COMPREPLY[@]}"`): Promise<ReadonlyArray<string>> => {
    const words = line.map((word) => `'${word}'`).join(' ')
    const asked = `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=${line.length - 1}; _cnm 2>&1; ${print}`
    const { stdout } = await execa('bash', ['--norc', '-c', asked])
    return stdout.split('\n').filter((word) => word !== '')
  }

  test.each(CASES)('completes %s', async (_, line, fits) => {
    expect(await ask(line)).toEqual(fits)
  })

  test('leaves files to the shell where a file belongs', async () => {
    const files = `_cnm_choose "$1" "$2" "\${@:3}"; echo "files=$files"`
    const asked = async (before: string, ...words: Line) =>
      (await execa('bash', ['--norc', '-c', `${script}\n${files}`, 'bash', before, '', ...words])).stdout
        .split('\n')
        .at(-1)
    expect(await asked('import', 'cnm', 'store', 'import')).toBe('files=1')
    expect(await asked('--state', 'cnm', 'network', 'ls', '--state')).toBe('files=1')
    expect(await asked('rm', 'cnm', 'network', 'rm')).toBe('files=')
  })

  test('knows every verb that the help knows', async () => {
    const { out } = await cnm(['--help'])
    const verbs = [...out.matchAll(/^ {2}([a-z]+) .*(?:\[|\||<|[a-z])/gm)].map(([, verb = '']) => verb)
    const known = await ask(['cnm', ''])
    expect(known.length).toBeGreaterThan(10)
    for (const verb of known) expect(verbs).toContain(verb)
  })

  test('does not leave helpers of its own name behind but functions that begin with _cnm', async () => {
    const { stdout } = await execa('bash', ['--norc', '-c', `${script}\ndeclare -F`])
    for (const line of stdout.split('\n')) expect(line).toMatch(/^declare -f _cnm/)
  })
})

/** zsh is no part of the set-up, in CI neither: what it reads is made of the same parts as bash's. */
const withZsh = gate(() => (findBinary('zsh') === null ? 'the program zsh' : null), false)

withZsh('cnm completion zsh', () => {
  test('is read without a complaint, and completes as bash’s does', async () => {
    const { out } = await cnm(['completion', 'zsh'])
    const stub = 'compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { print files; }'
    for (const [, line, fits] of CASES) {
      const words = line.map((word) => `'${word}'`).join(' ')
      const asked = `${stub}\n${out}\nwords=(${words}); CURRENT=${line.length}; _cnm`
      const { stdout, stderr } = await execa('zsh', ['-f', '-c', asked])
      // zsh itself picks those that fit what has begun.
      const offered = stdout.split('\n').filter((word) => word.startsWith(line.at(-1) ?? '') && word !== '')
      expect([stderr, offered]).toEqual(['', fits])
    }
  })
})

test('there is none for another shell', async () => {
  const { exit, err } = await cnm(['completion', 'fish'])
  expect([exit, err]).toEqual([2, expect.stringContaining('Allowed choices are bash, zsh')])
})
