// What is wrong with a file or a command line is said in one line that names the place, with status 2 and no stack.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cnm, folderWith } from './cnm.ts'

const network = (name: string, subnet: string): string => `  ${name}: { ipam: { config: [{ subnet: ${subnet} }] } }\n`

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'good.yaml': 'services:\n  web: {}\n',
  'yaml.yaml': 'services:\n  web: [\n',
  'unknown.yaml': 'services:\n  web:\n    networks: [frnt]\nnetworks:\n  front: {}\n',
  'outside.yaml': `services:\n  web:\n    networks: { a: { ipv4_address: 10.9.0.5 } }\nnetworks:\n${network('a', '10.5.0.0/24')}`,
  'overlap.yaml': `services:\n  web: { networks: [a, b] }\nnetworks:\n${network('a', '10.5.0.0/16')}${network('b', '10.5.1.0/24')}`,
  'ports.yaml': 'services:\n  web:\n    ports: ["80:80"]\n  api:\n    ports: ["80:81"]\n',
  'loop.yaml': 'services:\n  a: { network_mode: "service:b" }\n  b: { network_mode: "service:a" }\n',
  'big.yaml': 'a'.repeat(10 * 1024 * 1024),
  'empty.yaml': '',
  'binary.yaml': Uint8Array.from({ length: 512 }, (_, i) => (i * 37) % 256),
  'driver.yaml':
    'services:\n  web: { networks: [a] }\nnetworks:\n  a: { driver: overlay }\nx-cnm: { expect: [web reaches internet] }\n',
  'alone.yaml':
    'services:\n  web: {}\nx-cnm:\n  expect:\n    - web reaches web\n    - web does not reach internet on sctp/9\n',
  'expects.yaml': 'services:\n  web: {}\nx-cnm:\n  expect:\n    - web reached nobody\n',
}

let folder = ''
beforeAll(async () => {
  folder = await folderWith(FILES)
  await mkdir(join(folder, 'folder'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const PLACED = /^[^:\n]+:\d+:\d+: .+$/

describe.each([
  ['not YAML', 'yaml.yaml', 'yaml.yaml:2:8: not valid YAML'],
  ['an unknown network', 'unknown.yaml', 'unknown.yaml:3:16: services.web.networks: there is no network "frnt"'],
  ['an address outside its subnet', 'outside.yaml', 'outside.yaml:3:36: the service "web" asks for 10.9.0.5'],
  ['overlapping subnets', 'overlap.yaml', 'overlap.yaml:5:35: the networks "a"'],
  ['a port published twice', 'ports.yaml', 'ports.yaml:5:13: the service "api" publishes tcp port 80'],
  ['a loop of shared namespaces', 'loop.yaml', 'loop.yaml:2:22: services share each other'],
  ['10 MB', 'big.yaml', 'big.yaml:1:1: the file has 10485760 bytes'],
  ['nothing', 'empty.yaml', 'empty.yaml:1:1: the file is empty'],
  ['no text', 'binary.yaml', 'binary.yaml:1:1: this is not a text file'],
  ['a driver there is not', 'driver.yaml', 'driver.yaml:4:3: there is no network driver "overlay"'],
  ['a sentence nobody can read', 'expects.yaml', 'expects.yaml:5:7: cannot read the expectation'],
  ['a missing file', 'missing.yaml', 'missing.yaml:1:1: no such file'],
  ['a folder', 'folder', 'folder:1:1: this is a directory'],
])('a file with %s', (_, file, line) => {
  test.each([['run'], ['check'], ['plan']])('is refused by %s', async (verb) => {
    const { exit, out, err } = await cnm([verb, file], { cwd: folder })
    expect(err.endsWith('\n')).toBe(true)
    expect(err.trimEnd()).toMatch(PLACED)
    expect(err.startsWith(line), err).toBe(true)
    expect([exit, out]).toEqual([2, ''])
  })
})

describe('a command line', () => {
  test.each([
    ['an unknown verb', ['rnu'], "unknown command 'rnu'\n(Did you mean run?)"],
    ['an unknown option', ['run', '--bogus'], "unknown option '--bogus'"],
    ['an unknown kernel', ['run', '--kernel', 'hurd', 'good.yaml'], 'Allowed choices are sim, linux'],
    ['too little', ['trace', 'good.yaml'], "missing required argument 'FROM'"],
    [
      'nobody',
      ['trace', 'good.yaml', 'web', 'nobody'],
      'there is no service or container "nobody" in this file; known: web',
    ],
    ['one end', ['trace', 'good.yaml', 'web', 'web'], 'web cannot be both ends'],
    ['no port', ['trace', 'good.yaml', 'web', 'internet:http'], '"http" is not a port'],
    [
      'an address of nobody',
      ['trace', 'good.yaml', '10.1.2.3', 'web'],
      'there is no container with the address 10.1.2.3',
    ],
    ['no expectations', ['check', 'good.yaml'], 'good.yaml: there are no expectations'],
    ['a bad project name', ['run', '-p', 'Bad Name', 'good.yaml'], '"Bad Name" is not a project name'],
    ['no such variables', ['run', '--env-file', 'none', 'good.yaml'], 'none:1:1: no such file'],
    ['a bad lab name', ['down', 'Bad/Lab'], '"Bad/Lab" is not a lab name'],
    ['a result that cannot be written', ['check', '--junit', 'no/where', 'two.yaml'], 'two.yaml:1:1: no such file'],
  ])('with %s is refused', async (_, args, sentence) => {
    const { exit, out, err } = await cnm(args, { cwd: folder })
    expect(err).toContain(sentence)
    expect(err).not.toMatch(/^\s+at /m)
    expect([exit, out]).toEqual([2, ''])
  })

  test('without a file, in a folder without one, is refused', async () => {
    const { exit, err } = await cnm(['run'], { cwd: join(folder, 'folder') })
    expect([exit, err]).toEqual([2, 'cnm: no Compose file was given, and there is no compose.yaml in this folder\n'])
  })
})

test('an expectation that asks nothing is refused, for it would always be met', async () => {
  const { exit, err } = await cnm(['check', 'alone.yaml'], { cwd: folder })
  expect(exit).toBe(2)
  expect(err.split('\n')).toEqual([
    'alone.yaml:5:7: the expectation "web reaches web" cannot be checked: web is one container, and would ask itself',
    'alone.yaml:6:7: the expectation "web does not reach internet on sctp/9" cannot be checked: SCTP is not carried by the simulation yet',
    '',
  ])
})

test('what has a bearing and is not supported is noted, with its place, and the rest is done', async () => {
  const cwd = await folderWith({ 'a.yaml': 'services:\n  a: { networks: [x] }\nnetworks:\n  x: { external: true }\n' })
  const { exit, out, err } = await cnm(['run', 'a.yaml'], { cwd })
  await rm(cwd, { recursive: true })
  expect(err).toMatch(/^note: a\.yaml:4:3: the network "x" is external.*\n$/)
  expect(exit).toBe(0)
  expect(out).toContain('Who reaches whom')
})

describe('what a hostile file says', () => {
  const refused = async (network: string): Promise<string> => {
    const cwd = await folderWith({ 'h.yaml': `services:\n  a: { networks: [n] }\nnetworks:\n  n: ${network}\n` })
    const { exit, out, err } = await cnm(['plan', 'h.yaml'], { cwd })
    await rm(cwd, { recursive: true })
    expect([exit, out]).toEqual([2, ''])
    return err
  }

  test('does not become a line of a script', async () => {
    expect(await refused('{ name: "n\\ntouch me" }')).toMatch(/^h\.yaml:4:14: .*without control characters.*\n$/)
  })

  test('does not reach the terminal as a control sequence', async () => {
    expect(await refused('{ driver: "x\\e[31m" }')).toMatch(
      /^h\.yaml:4:\d+: there is no network driver "x\\x1b\[31m".*\n$/,
    )
  })
})

test('a file may come by the standard input, and a folder may have its own', async () => {
  const text = 'name: piped\nservices:\n  web: {}\n'
  const piped = await cnm(['run', '-'], { input: text })
  expect([piped.exit, piped.out.includes('piped_default')]).toEqual([0, true])
  const cwd = await folderWith({ 'compose.yaml': text })
  const found = await cnm(['run'], { cwd })
  await rm(cwd, { recursive: true })
  expect(found.out).toBe(piped.out)
})
