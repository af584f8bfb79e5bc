// `cnm ipam show`: the pools that a log leaves in use, drawn and as JSON; and what both verbs say of files and of themselves.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IpamShowReport } from '../../src/cli/commands/ipam-show.ts'
import type { PoolJson } from '../../src/cli/render/pool-json.ts'
import { cnm, type Ended, folderWith } from './cnm.ts'
import { address, answersTo, type Json, pool, SMALL, shell, text } from './ipam-log.ts'

let folder = ''
beforeAll(async () => {
  folder = await folderWith({
    'small.jsonl': text([pool('10.1.0.0/29'), address(SMALL), address(SMALL, '10.1.0.5'), address(SMALL, '10.1.0.5')]),
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const show = async (requests: ReadonlyArray<Json>, ...args: ReadonlyArray<string>): Promise<Ended> =>
  cnm(['ipam', 'show', ...args], { input: text(requests), env: { LC_ALL: 'C' } })

const report = async (requests: ReadonlyArray<Json>, ...args: ReadonlyArray<string>): Promise<IpamShowReport> =>
  JSON.parse((await show(requests, '--json', ...args)).out)

const only = ({ pools }: IpamShowReport): PoolJson => {
  const [first, ...others] = pools
  if (first === undefined || others.length > 0) throw new Error(`${pools.length} pools instead of one`)
  return first
}

/** The bar between its ends. */
const barOf = (out: string): string => /^ {2}\|(.*)\|$/m.exec(out)?.[1] ?? ''
const SUB = 'LocalDefault/10.5.0.0/24/10.5.0.128/25'
const WITH_SUB = [pool('10.5.0.0/24', { SubPool: '10.5.0.128/25' }), address(SUB), address(SUB, '10.5.0.1')]

describe('show', () => {
  test('draws a pool: its bar, its counts, the next address and every range', async () => {
    const { exit, out, err } = await show([pool('10.1.0.0/29'), address(SMALL), address(SMALL, '10.1.0.5')])
    expect([exit, err]).toEqual([0, ''])
    expect(out).toBe(`${SMALL}
  |xxxxxxxx########........................########........xxxxxxxx|
  10.1.0.0 to 10.1.0.7, each address 8 cells
  8 addresses: 2 used (33.33%), 2 reserved, 4 free; next 10.1.0.2

  reserved  10.1.0.0             1
  used      10.1.0.1             1
  free      10.1.0.2 - 10.1.0.4  3
  used      10.1.0.5             1
  free      10.1.0.6             1
  reserved  10.1.0.7             1

. free   - + * up to 1/3, 2/3, all used   # full   x reserved
`)
  })

  test('shades a cell by how full its share is', async () => {
    // A cell of a /24 has four addresses, the first one three that can be given.
    const id = 'LocalDefault/10.1.0.0/24'
    const hosts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16]
    const { out } = await show([pool('10.1.0.0/24'), ...hosts.map((host) => address(id, `10.1.0.${host}`))])
    expect(barOf(out)).toBe(`##*+-${'.'.repeat(59)}`)
  })

  test('draws with blocks where the locale has UTF-8, with ASCII elsewhere, both 64 wide', async () => {
    const input = text([pool('10.1.0.0/29'), address(SMALL)])
    const bar = async (env: Readonly<Record<string, string>>): Promise<string> =>
      barOf((await cnm(['ipam', 'show'], { input, env })).out)
    const blocks = `${'×'.repeat(8)}${'█'.repeat(8)}${'·'.repeat(40)}${'×'.repeat(8)}`
    const ascii = `${'x'.repeat(8)}${'#'.repeat(8)}${'.'.repeat(40)}${'x'.repeat(8)}`
    expect(await bar({ LANG: 'en_GB.UTF-8' })).toBe(blocks)
    expect(await bar({ LANG: 'C', LC_CTYPE: 'C.utf8' })).toBe(blocks)
    expect(await bar({ LANG: 'en_GB.UTF-8', LC_ALL: 'C' })).toBe(ascii)
    expect(await bar({})).toBe(ascii)
  })

  test('shows the sub-pools of a subnet, and a sub-pool by its name', async () => {
    const { out } = await show(WITH_SUB)
    expect(out).toContain('LocalDefault/10.5.0.0/24 (by its sub-pools only)\n')
    expect(out).toMatch(/^ {2}SUB-POOL +USED +FREE +NEXT\n {2}10\.5\.0\.128\/25 +1 +0\.78% +126 +10\.5\.0\.129$/m)
    const sub = only(await report(WITH_SUB, '--pool', SUB))
    expect(sub).toEqual({
      id: SUB,
      range: '10.5.0.128/25',
      size: 128,
      used: 1,
      reserved: 1,
      free: 126,
      percentUsed: 0.7874,
      next: '10.5.0.129',
      space: 'LocalDefault',
      subnet: '10.5.0.0/24',
      requested: true,
      subPools: [],
      ranges: [
        { state: 'used', first: '10.5.0.128', last: '10.5.0.128', count: 1 },
        { state: 'free', first: '10.5.0.129', last: '10.5.0.254', count: 126 },
        { state: 'reserved', first: '10.5.0.255', last: '10.5.0.255', count: 1 },
      ],
    })
  })

  test('counts an IPv6 pool exactly, in digits where a number would not be exact', async () => {
    const id = 'LocalDefault/fd00:1::/64'
    const last = 'fd00:1::ffff:ffff:ffff:ffff'
    const found = only(await report([pool('fd00:1::/64'), address(id), address(id, last)]))
    expect(found).toMatchObject({ size: '18446744073709551616', used: 2, reserved: 1, free: '18446744073709551613' })
    expect(found).toMatchObject({ percentUsed: 0, next: 'fd00:1::2' })
    expect(found.ranges).toEqual([
      { state: 'reserved', first: 'fd00:1::', last: 'fd00:1::', count: 1 },
      { state: 'used', first: 'fd00:1::1', last: 'fd00:1::1', count: 1 },
      { state: 'free', first: 'fd00:1::2', last: 'fd00:1::ffff:ffff:ffff:fffe', count: '18446744073709551613' },
      { state: 'used', first: last, last, count: 1 },
    ])
    const { out } = await show([pool('fd00:1::/64'), address(id), address(id, last)])
    expect(out).toContain(
      '18,446,744,073,709,551,616 addresses: 2 used (<0.01%), 1 reserved, 18,446,744,073,709,551,613 free',
    )
    expect(barOf(out)).toBe(`-${'.'.repeat(62)}-`)
  })

  test.each([
    ['10.1.0.0/30', 2],
    ['10.1.0.0/31', 2],
    ['10.1.0.0/32', 1],
    ['fd00:1::/126', 3],
    ['fd00:1::/128', 1],
  ])('tells a full %s as used up, nothing being next', async (prefix, hosts) => {
    const requests = [pool(prefix), ...Array.from({ length: hosts }, () => address(`LocalDefault/${prefix}`))]
    expect(only(await report(requests))).toMatchObject({ used: hosts, free: 0, percentUsed: 100, next: null })
    expect(barOf((await show(requests)).out)).toMatch(/^x*#+x*$/)
  })

  test('has ranges that are the whole pool without a gap, whose counts add up', async () => {
    const id = 'LocalDefault/10.1.0.0/24'
    const hosts = Array.from({ length: 60 }, (_, i) => (i * 67) % 251).map((host) => `10.1.0.${host + 1}`)
    const found = only(await report([pool('10.1.0.0/24'), ...hosts.map((each) => address(id, each))]))
    const number = (ip: string): number => Number(ip.split('.')[3])
    let next = 0
    const sums: Record<string, number> = { used: 0, reserved: 0, free: 0 }
    for (const [i, { state, first, last, count }] of found.ranges.entries()) {
      expect([number(first), number(last) - number(first) + 1]).toEqual([next, count])
      expect(found.ranges[i + 1]?.state).not.toBe(state)
      next = number(last) + 1
      sums[state] = (sums[state] ?? 0) + Number(count)
    }
    expect([next, sums]).toEqual([256, { used: found.used, reserved: found.reserved, free: found.free }])
    expect(found.used).toBe(60)
  })

  test('cuts a long list of ranges and says how many more there are, but not with --all', async () => {
    const id = 'LocalDefault/10.1.0.0/16'
    const odd = Array.from({ length: 100 }, (_, i) => address(id, `10.1.0.${2 * i + 1}`))
    const ranges = (out: string): number => out.match(/^ {2}(used|free|reserved) /gm)?.length ?? 0
    const cut = await show([pool('10.1.0.0/16'), ...odd])
    const all = await show([pool('10.1.0.0/16'), ...odd], '--all')
    const more = Number(/^ {2}\.\.\. and (\d+) more: --all$/m.exec(cut.out)?.[1])
    expect(ranges(cut.out)).toBe(20)
    // The first and the last address, a hundred used ones and what is behind each.
    expect([ranges(cut.out) + more, ranges(all.out)]).toEqual([202, 202])
    expect(all.out).not.toContain('more')
    expect(only(await report([pool('10.1.0.0/16'), ...odd])).ranges.length).toBe(202)
  })

  test('draws all pools, or those that are named, in the order they are', async () => {
    const requests = [
      pool('10.2.0.0/16'),
      pool('10.1.0.0/29'),
      { Method: 'RequestPool', AddressSpace: 'GlobalDefault' },
    ]
    const ids = async (...args: ReadonlyArray<string>): Promise<ReadonlyArray<string>> =>
      (await report(requests, ...args)).pools.map(({ id }) => id)
    expect(await ids()).toEqual(['GlobalDefault/10.0.0.0/24', SMALL, 'LocalDefault/10.2.0.0/16'])
    expect(await ids('--pool', 'LocalDefault/10.2.0.0/16', '--pool', SMALL)).toEqual([
      'LocalDefault/10.2.0.0/16',
      SMALL,
    ])
  })

  test('counts the errors of the log, and says so beside the result', async () => {
    const requests = [pool('10.1.0.0/29'), pool('10.1.0.0/29'), { Method: 'Nonsense' }]
    const { exit, err } = await show(requests)
    expect([exit, err]).toEqual([
      0,
      'note: 2 of 3 requests got an error: InvalidRequest 1, PoolOverlap 1; "cnm ipam replay --quiet" shows them\n',
    ])
    expect(await report(requests)).toMatchObject({ requests: 3, errors: { InvalidRequest: 1, PoolOverlap: 1 } })
  })

  test('says that there is nothing to show', async () => {
    expect(await show([])).toEqual({ exit: 0, out: 'no pools are in use\n', err: '' })
    expect(await report([])).toEqual({ requests: 0, errors: {}, pools: [] })
  })

  test('refuses a pool that is not in use, naming those that are', async () => {
    const refused = async (id: string, requests: ReadonlyArray<Json>): Promise<Ended> => show(requests, '--pool', id)
    expect(await refused('LocalDefault/10.5.0.0/25', WITH_SUB)).toEqual({
      exit: 2,
      out: '',
      err: `cnm: there is no pool "LocalDefault/10.5.0.0/25" in use; there are LocalDefault/10.5.0.0/24, ${SUB}\n`,
    })
    expect((await refused('x', [])).err).toBe('cnm: there is no pool "x" in use; there are none\n')
  })

  test('needs no colour, and has none in a pipe', async () => {
    const input = text(WITH_SUB)
    const plain = await cnm(['ipam', 'show'], { input })
    const colored = await cnm(['ipam', 'show'], { input, env: { FORCE_COLOR: '1' } })
    expect(plain.out).not.toContain('\x1b[')
    expect(colored.out).toContain('\x1b[')
  })
})

test('whose reader leaves ends the drawing', async () => {
  const script = `"$CNM" ipam show --json ${join(folder, 'small.jsonl')} 2>&1 | head -n 1`
  expect(await shell(script)).toEqual({ exit: 0, out: '{', err: '' })
})

describe.each([['replay'], ['show']])('a log that %s cannot read', (verb) => {
  test.each([
    ['is missing', 'none.jsonl', 'cnm: none.jsonl: no such file\n'],
    ['is a folder', '.', 'cnm: .: this is a directory\n'],
  ])('(it %s) is said in one line, with status 2', async (_, file, err) => {
    expect(await cnm(['ipam', verb, file], { cwd: folder })).toEqual({ exit: 2, out: '', err })
  })

  test('is explained by --help, with examples', async () => {
    const { exit, out } = await cnm(['ipam', verb, '--help'])
    expect([exit, out.startsWith(`Usage: cnm ipam ${verb} `)]).toEqual([0, true])
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*.*cnm ipam ${verb}`))
    expect(out).toContain('Exit status: 0')
  })
})

test('the examples are replayed: the first with two errors, the second with none', async () => {
  const errorsOf = async (name: string): Promise<ReadonlyArray<unknown>> =>
    (await answersTo('', ['--quiet', `examples/ipam/${name}.jsonl`])).map((each) => each['Code'])
  expect(await errorsOf('bridge')).toEqual(['IPAlreadyAllocated', 'PoolOverlap'])
  expect(await errorsOf('configured')).toEqual([])
})
