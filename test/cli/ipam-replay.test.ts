// `cnm ipam replay`: a log of IpamDriver requests, answered line by line, whatever is in it and however long it is.

import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CNM, cnm, folderWith } from './cnm.ts'
import {
  address,
  answers,
  answersTo,
  CAPABILITIES,
  INVALID,
  isError,
  type Json,
  jsonOf,
  pool,
  SMALL,
  shell,
  text,
} from './ipam-log.ts'

let folder = ''
beforeAll(async () => {
  folder = await folderWith({
    'small.jsonl': text([pool('10.1.0.0/29'), address(SMALL), address(SMALL, '10.1.0.5'), address(SMALL, '10.1.0.5')]),
    'meter.mjs': "process.on('exit', () => console.error(process.resourceUsage().maxRSS >> 10))",
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('replay', () => {
  test('answers each request with the fields of the protocol, in compact JSON', async () => {
    const { exit, out, err } = await cnm(['ipam', 'replay'], {
      input: text([
        CAPABILITIES,
        { Method: 'GetDefaultAddressSpaces' },
        pool(''),
        address('LocalDefault/172.17.0.0/16', '', { RequestAddressType: 'com.docker.network.gateway' }),
        { Method: 'ReleaseAddress', PoolID: 'LocalDefault/172.17.0.0/16', Address: '172.17.0.1' },
        { Method: 'ReleasePool', PoolID: 'LocalDefault/172.17.0.0/16' },
      ]),
    })
    expect([exit, err]).toEqual([0, ''])
    expect(out.split('\n')).toEqual([
      '{"RequiresMACAddress":false,"RequiresRequestReplay":true}',
      '{"LocalDefaultAddressSpace":"LocalDefault","GlobalDefaultAddressSpace":"GlobalDefault"}',
      '{"PoolID":"LocalDefault/172.17.0.0/16","Pool":"172.17.0.0/16","Data":{}}',
      '{"Address":"172.17.0.1/16","Data":{}}',
      '{}',
      '{}',
      '',
    ])
  })

  test('answers an error with text, class and code, and goes on from the state before it', async () => {
    expect(
      await answers(
        pool('10.1.0.0/29'),
        pool('10.1.0.0/16'),
        address(SMALL, '10.1.0.1'),
        address(SMALL, '10.1.0.1'),
        address('LocalDefault/10.2.0.0/16'),
        address(SMALL, '10.9.9.9'),
        address(SMALL),
      ),
    ).toEqual([
      expect.objectContaining({ PoolID: SMALL }),
      {
        Error: 'subnet 10.1.0.0/16 overlaps 10.1.0.0/29, which is in use in LocalDefault',
        Class: 'Forbidden',
        Code: 'PoolOverlap',
      },
      { Address: '10.1.0.1/29', Data: {} },
      isError('IPAlreadyAllocated', 'Forbidden'),
      isError('PoolNotFound', 'NotFound'),
      isError('IPOutOfRange'),
      { Address: '10.1.0.2/29', Data: {} },
    ])
  })

  test.each([
    ['CRLF', '{"Method":"GetCapabilities"}\r\n{"Method":"GetCapabilities"}\r\n'],
    ['no newline at the end', '{"Method":"GetCapabilities"}\n{"Method":"GetCapabilities"}'],
    ['blank lines', '\n \t\r\n{"Method":"GetCapabilities"}\n\n\n {"Method":"GetCapabilities"} \n\r\n'],
    ['a byte order mark', '\uFEFF{"Method":"GetCapabilities"}\n{"Method":"GetCapabilities"}\n'],
  ])('reads lines with %s', async (_, input) => {
    const answer = { RequiresMACAddress: false, RequiresRequestReplay: true }
    expect(await answersTo(input)).toEqual([answer, answer])
  })

  test('answers nothing with nothing', async () => expect(await answersTo('')).toEqual([]))

  test('reads what Go writes: no map as null, fields that it does not know', async () => {
    const [first, second] = await answers(
      pool('10.1.0.0/29', { Options: null, SubPool: '', Later: { field: 1 } }),
      address(SMALL, '', { 'com.docker.network.endpoint.macaddress': '02:42:0a:01:00:02' }),
    )
    expect([first, second]).toEqual([
      { PoolID: SMALL, Pool: '10.1.0.0/29', Data: {} },
      { Address: '10.1.0.1/29', Data: {} },
    ])
  })

  test('gives what is of the address space "null" to the null driver', async () => {
    expect(
      await answers(
        { Method: 'RequestPool', AddressSpace: 'null' },
        { Method: 'RequestPool', AddressSpace: 'null', V6: true },
        { Method: 'RequestPool', AddressSpace: 'null', Pool: '10.0.0.0/8' },
        address('null/0.0.0.0/0'),
        { Method: 'ReleaseAddress', PoolID: 'null/::/0', Address: '' },
        { Method: 'ReleasePool', PoolID: 'null/0.0.0.0/0' },
        { Method: 'ReleasePool', PoolID: 'null/10.0.0.0/8' },
      ),
    ).toEqual([
      { PoolID: 'null/0.0.0.0/0', Pool: '0.0.0.0/0', Data: {} },
      { PoolID: 'null/::/0', Pool: '::/0', Data: {} },
      isError('InvalidPool'),
      { Address: '', Data: {} },
      {},
      {},
      isError('InvalidPoolID'),
    ])
  })

  test('with --quiet prints errors only, with their lines', async () => {
    const input = `\n${text([pool('10.1.0.0/29'), pool('10.1.0.0/29')])}nonsense`
    expect(await answersTo(input, ['--quiet'])).toEqual([
      expect.objectContaining({ Line: 3, Code: 'PoolOverlap' }),
      expect.objectContaining({ Line: 4, Code: 'InvalidRequest' }),
    ])
    expect(await answersTo(text([pool('10.1.0.0/29')]), ['--quiet'])).toEqual([])
  })

  test('with --summary says on the standard error how it went', async () => {
    const input = text([pool('10.1.0.0/29'), pool('10.1.0.0/29'), pool('10.1.0.0/29'), address('x')])
    const { exit, out, err } = await cnm(['ipam', 'replay', '--summary'], { input })
    expect([exit, jsonOf(out).length]).toEqual([0, 4])
    expect(err).toBe('4 requests, 3 errors (PoolOverlap 2, InvalidPoolID 1); 1 pool in use\n')
    const idle = await cnm(['ipam', 'replay', '--summary'], { input: '' })
    expect([idle.out, idle.err]).toEqual(['', '0 requests, 0 errors; 0 pools in use\n'])
  })

  test('reads a file, and `-` as the standard input', async () => {
    const named = await cnm(['ipam', 'replay', 'small.jsonl'], { cwd: folder })
    expect([named.exit, jsonOf(named.out).length]).toEqual([0, 4])
    const piped = await cnm(['ipam', 'replay', '-'], {
      input: text([pool('10.1.0.0/29'), address(SMALL), address(SMALL, '10.1.0.5'), address(SMALL, '10.1.0.5')]),
    })
    expect(piped).toEqual(named)
  })
})

describe('a line that is no request', () => {
  test.each<readonly [string, string | Uint8Array]>([
    ['no JSON', 'RequestPool please'],
    ['half a JSON', '{"Method":"RequestPool"'],
    ['two JSONs', '{"Method":"GetCapabilities"} {"Method":"GetCapabilities"}'],
    ['null', 'null'],
    ['a number', '7'],
    ['a text', '"GetCapabilities"'],
    ['a list', '[{"Method":"GetCapabilities"}]'],
    ['an object without a method', '{}'],
    ['an unknown method', '{"Method":"DropTables"}'],
    ['a method of Object', '{"Method":"constructor"}'],
    ['a method that is null', '{"Method":null}'],
    ['a number for a text', '{"Method":"ReleasePool","PoolID":7}'],
    ['a number among the options', '{"Method":"RequestAddress","PoolID":"x","Options":{"a":1}}'],
    ['a text for a truth', '{"Method":"RequestPool","AddressSpace":"LocalDefault","V6":"true"}'],
    ['a prototype with the method', '{"__proto__":{"Method":"GetCapabilities"}}'],
    [
      'deep nesting',
      `{"Method":"RequestPool","AddressSpace":"LocalDefault","Options":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
    ],
    ['nesting without an end', '['.repeat(1_000_000)],
    ['megabytes', `{"Method":"RequestPool","AddressSpace":"${'x'.repeat(5 << 20)}"}`],
    ['invalid UTF-8', Buffer.from('{"Method":"RequestPool","Pool":"\xff\xfe"}', 'latin1')],
    ['a zero byte', '{"Method":"GetCapabilities"}\0'],
  ])('(%s) gets InvalidRequest, and the next one its answer', async (_, line) => {
    const input = Buffer.concat([Buffer.from(line), Buffer.from('\n{"Method":"GetDefaultAddressSpaces"}\n')])
    const found = await answersTo(input)
    expect(found).toEqual([INVALID, expect.objectContaining({ LocalDefaultAddressSpace: 'LocalDefault' })])
    expect(JSON.stringify(found[0]).length).toBeLessThan(300)
  })

  test('is told as too long also at the end of a log, and where its end comes in pieces', async () => {
    expect(await answersTo('x'.repeat(3 << 20))).toEqual([INVALID])
  })

  test('of nearly a megabyte is a request', async () => {
    const Options = { filler: 'y'.repeat(1_000_000) }
    expect(await answers(pool('10.1.0.0/29', { Options }))).toEqual([expect.objectContaining({ PoolID: SMALL })])
  })

  test('takes `__proto__` among the options for an option', async () => {
    const line = `{"Method":"RequestPool","AddressSpace":"LocalDefault","Pool":"10.1.0.0/29","Options":{"__proto__":"x"}}`
    expect(await answersTo(line)).toEqual([expect.objectContaining({ PoolID: SMALL })])
  })

  test('is not echoed whole, and not as a control sequence', async () => {
    const { out } = await cnm(['ipam', 'replay'], {
      input: text([pool(`\x1b[31m\x9b31m\u2028${'z'.repeat(1000)}`), { Method: `\x9b${'z'.repeat(1000)}` }]),
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(out).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028]/)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(300)
    expect(jsonOf(out)).toEqual([isError('InvalidPool'), INVALID])
  })

  test('is echoed with what changes the direction of text escaped', async () => {
    const points = [
      0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff,
    ]
    const asked = points.map((point) => `10.0.0.0/8${String.fromCharCode(point)}x`)
    const { out } = await cnm(['ipam', 'replay'], { input: text(asked.map((each) => pool(each))) })
    const errors = jsonOf(out).map((answer) => answer['Error'])
    expect(errors).toEqual(asked.map((each) => expect.stringContaining(each)))
    expect(out.match(/[^\x20-\x7e\n]/g)).toBeNull()
    expect(out.match(/\\u[0-9a-f]{4}/g)).toEqual(points.map((point) => `\\u${point.toString(16).padStart(4, '0')}`))
  })
})

describe('Configure', () => {
  const configure = (fields: Json): Json => ({ Method: 'Configure', ...fields })
  const GLOBAL = [
    { Base: '10.0.0.0/8', Size: 24 },
    { Base: 'fd00:c0a9::/48', Size: 64 },
  ]

  test('sets the defaults of the space it names, a base being the network it lies in', async () => {
    expect(
      await answers(
        configure({ LocalDefault: [{ Base: '172.17.0.0/12', Size: 16 }] }),
        pool(''),
        pool('', { V6: true }),
      ),
    ).toEqual([
      { LocalDefault: [{ Base: '172.16.0.0/12', Size: 16 }], GlobalDefault: GLOBAL, Exclude: [] },
      expect.objectContaining({ Pool: '172.16.0.0/16' }),
      isError('NoMoreSubnets'),
    ])
  })

  test('shows what is in force: in order, and without what an earlier base covers', async () => {
    const [shown] = await answers(
      configure({
        GlobalDefault: [
          { Base: 'fd00:1::/32', Size: 64 },
          { Base: '10.9.0.0/16', Size: 24 },
          { Base: '10.8.0.0/13', Size: 20 },
        ],
      }),
    )
    expect(shown?.['GlobalDefault']).toEqual([
      { Base: '10.8.0.0/13', Size: 20 },
      { Base: 'fd00:1::/32', Size: 64 },
    ])
  })

  test('excludes prefixes from the free choice in the local space, and only there', async () => {
    const base = [{ Base: '10.8.0.0/16', Size: 24 }]
    expect(
      await answers(
        configure({ LocalDefault: base, GlobalDefault: base, Exclude: ['10.8.0.1/24', '10.8.1.7/32', 'fd00::/8'] }),
        pool(''),
        { Method: 'RequestPool', AddressSpace: 'GlobalDefault' },
        pool('10.8.1.0/24'),
      ),
    ).toEqual([
      expect.objectContaining({ Exclude: ['10.8.0.0/24', '10.8.1.7/32', 'fd00::/8'] }),
      expect.objectContaining({ PoolID: 'LocalDefault/10.8.2.0/24' }),
      expect.objectContaining({ PoolID: 'GlobalDefault/10.8.0.0/24' }),
      expect.objectContaining({ PoolID: 'LocalDefault/10.8.1.0/24' }),
    ])
  })

  test('may come in parts, each leaving the others as they are', async () => {
    const found = await answers(
      configure({ LocalDefault: [{ Base: '10.8.0.0/16', Size: 24 }] }),
      configure({ Exclude: ['10.8.0.0/24'] }),
      pool(''),
    )
    expect(found[1]).toMatchObject({ LocalDefault: [{ Base: '10.8.0.0/16', Size: 24 }], Exclude: ['10.8.0.0/24'] })
    expect(found[2]).toMatchObject({ Pool: '10.8.1.0/24' })
  })

  test.each([
    ['a request', CAPABILITIES],
    ['a request that got an error', address('nothing')],
    ['a request to the null driver', { Method: 'RequestPool', AddressSpace: 'null' }],
  ])('is refused after %s, and changes nothing', async (_, before) => {
    const found = await answers(before, configure({ LocalDefault: [{ Base: '10.8.0.0/16', Size: 24 }] }), pool(''))
    expect(found.slice(1)).toEqual([INVALID, expect.objectContaining({ Pool: '172.17.0.0/16' })])
  })

  const base = (Base: unknown, Size: unknown): Json => ({ LocalDefault: [{ Base, Size }] })
  test.each<readonly [string, Json, string]>([
    ['no list', { LocalDefault: '10.0.0.0/8' }, 'InvalidRequest'],
    ['a list of texts', { GlobalDefault: ['10.0.0.0/8'] }, 'InvalidRequest'],
    ['no size', base('10.0.0.0/8', undefined), 'InvalidRequest'],
    ['a size in text', base('10.0.0.0/8', '24'), 'InvalidRequest'],
    ['half a size', base('10.0.0.0/8', 24.5), 'InvalidRequest'],
    ['a negative size', base('10.0.0.0/8', -1), 'InvalidRequest'],
    ['no base', base(undefined, 24), 'InvalidRequest'],
    ['a base that is no prefix', base('10.0.0.0/33', 24), 'InvalidPool'],
    ['a huge base', base('1'.repeat(100_000), 24), 'InvalidPool'],
    ['a size larger than its base', base('10.0.0.0/16', 8), 'InvalidPool'],
    ['a size beyond the address', base('10.0.0.0/16', 33), 'InvalidPool'],
    ['multicast', base('224.0.0.0/8', 24), 'InvalidPool'],
    ['exclusions that are no list', { Exclude: '10.0.0.0/8' }, 'InvalidRequest'],
    ['an exclusion that is a number', { Exclude: [10] }, 'InvalidRequest'],
    ['an exclusion that is no prefix', { Exclude: ['10.0.0.0'] }, 'InvalidPool'],
  ])('with %s is refused as a whole', async (_, fields, code) => {
    const good = { GlobalDefault: [{ Base: '10.0.0.0/8', Size: 25 }], Exclude: ['172.17.0.0/16'] }
    const found = await answers(configure({ ...good, ...fields }), configure({}), pool(''))
    expect(found).toEqual([
      isError(code),
      expect.objectContaining({ GlobalDefault: GLOBAL, Exclude: [] }),
      expect.objectContaining({ Pool: '172.17.0.0/16' }),
    ])
  })
})

describe('a pipe', () => {
  test('whose reader leaves ends the replay of a log without an end', async () => {
    const script = `yes '{"Method":"GetCapabilities"}' | "$CNM" ipam replay | head -n 1; echo "$` + '{PIPESTATUS[1]}"'
    expect(await shell(script)).toEqual({
      exit: 0,
      out: '{"RequiresMACAddress":false,"RequiresRequestReplay":true}\n0',
      err: '',
    })
  })

  test('gets each answer as soon as the request is there', async () => {
    const running = execa(CNM, ['ipam', 'replay'], { reject: false })
    const heard = async (): Promise<string> => {
      for await (const chunk of running.stdout) return String(chunk)
      return ''
    }
    running.stdin.write(text([CAPABILITIES]))
    expect(await heard()).toContain('RequiresMACAddress')
    running.stdin.end()
    expect((await running).exitCode).toBe(0)
  })
})

test('a million requests need no more memory than a few', async () => {
  const big = join(folder, 'big.jsonl')
  const pair = text([
    address('LocalDefault/10.0.0.0/8', '', { 'com.docker.network.endpoint.name': 'z'.repeat(40) }),
    { Method: 'ReleaseAddress', PoolID: 'LocalDefault/10.0.0.0/8', Address: '10.0.0.1' },
  ])
  const block = pair.repeat(500)
  const lines = function* (): Generator<string> {
    yield text([pool('10.0.0.0/8')])
    for (let i = 0; i < 1000; i++) yield block
  }
  await pipeline(Readable.from(lines()), createWriteStream(big))
  const { stderr, exitCode } = await execa(CNM, ['ipam', 'replay', '--summary', big], {
    env: { NODE_OPTIONS: `--import=${join(folder, 'meter.mjs')}` },
    stdout: { file: join(folder, 'answers.jsonl') },
    reject: false,
  })
  const [summary, memory] = stderr.split('\n')
  expect([exitCode, summary]).toEqual([0, '1000001 requests, 0 errors; 1 pool in use'])
  // Node alone has about 50; the log is 140, and its answers 25.
  expect(Number.parseInt(memory ?? '', 10)).toBeLessThan(180)
}, 120_000)
