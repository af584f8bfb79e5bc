// A file that is not a whole store of ours is refused, says why, and is left byte for byte as it was.

import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { open } from 'lmdb'
import { beforeAll, describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { audit } from '../../src/store/lmdb/audit.ts'
import { checkStore } from '../../src/store/lmdb/check.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { encodeHead, encodeRecord, HEAD_KEY, type Head, keyBytes } from '../../src/store/lmdb/record.ts'
import { contentOf, dataOf, fill, inDir, left, right, withStore } from './lib.ts'

const PAGE = 4096
let whole: Buffer

beforeAll(() =>
  inDir(async (dir) => {
    await fill(dir)
    whole = readFileSync(dataOf(dir))
  }),
)

/** Opens a directory that holds these bytes; the error, when it has been seen that nothing was touched. */
const refused = (bytes: Buffer) =>
  inDir(async (dir) => {
    writeFileSync(dataOf(dir), bytes)
    const error = await left(lmdbStore({ dir }))
    expect(readFileSync(dataOf(dir)).equals(bytes)).toBe(true)
    expect(explainStore(error)).toContain(dataOf(dir))
    return error
  })

const changed = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = Buffer.from(whole)
  change(bytes)
  return bytes
}

/** Alters the text wherever the file has it. */
const strike = (bytes: Buffer, text: string): void => {
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes.write('#', at)
}

/** A generator of bytes that look random, the same in each run. */
const noise = (length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  let state = 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

describe('refused and untouched', () => {
  test('the file that the others are made from is well', () =>
    inDir(async (dir) => {
      writeFileSync(dataOf(dir), whole)
      expect((await contentOf(dir)).length).toBeGreaterThan(100)
    }))

  test.for([
    ['empty', 0],
    ['a part of a meta page', 100],
    ['one meta page', PAGE],
    ['the meta pages alone', 2 * PAGE],
    ['half of it', 0.5],
    ['all but the last page', -PAGE],
    ['all but the last byte', -1],
  ] as const)('truncated to %s', async ([, size]) => {
    const to = size < 0 ? whole.length + size : size < 1 ? Math.floor(whole.length * size) : size
    expect((await refused(whole.subarray(0, to))).tag).toMatch(/^Store(NotOurs|Damaged)$/)
  })

  test('zeroed', async () => {
    expect((await refused(Buffer.alloc(whole.length))).tag).toBe('StoreNotOurs')
  })

  test('zeroed behind the meta pages', async () => {
    expect((await refused(changed((bytes) => bytes.fill(0, 2 * PAGE)))).tag).toBe('StoreDamaged')
  })

  test('random', async () => {
    expect((await refused(noise(whole.length))).tag).toBe('StoreNotOurs')
  })

  test('random behind the meta pages', async () => {
    const bytes = changed((bytes) => noise(bytes.length).copy(bytes, 2 * PAGE, 2 * PAGE))
    expect((await refused(bytes)).tag).toBe('StoreDamaged')
  })

  test('text', async () => {
    expect((await refused(Buffer.from('{"networks": []}\n'.repeat(10_000)))).tag).toBe('StoreNotOurs')
  })

  test.for([0, 1])('with meta page %i zeroed', async (page) => {
    expect((await refused(changed((bytes) => bytes.fill(0, page * PAGE, (page + 1) * PAGE)))).tag).toMatch(/^Store/)
  })

  test('with the newest meta page older than it is, which would bring back the transaction before', async () => {
    const txn = (bytes: Buffer, page: number): number => bytes.readUIntLE(page * PAGE + 152, 6)
    const newest = txn(whole, 0) > txn(whole, 1) ? 0 : 1
    const bytes = changed((bytes) => bytes.writeUIntLE(txn(whole, newest) - 4, newest * PAGE + 152, 6))
    expect(await refused(bytes)).toMatchObject({ tag: 'StoreDamaged', why: 'does not follow meta page 0' })
  })

  test('of another data version of lmdb', async () => {
    const bytes = changed((bytes) => bytes.writeUInt32LE(1, 28))
    expect(explainStore(await refused(bytes))).toMatch(/data version 1 of lmdb, not 2/)
  })

  test('of another byte order', async () => {
    expect((await refused(changed((bytes) => bytes.subarray(24, 28).reverse()))).tag).toBe('StoreNotOurs')
  })
})

type Records = ReadonlyArray<readonly [key: Buffer, value: Buffer]>

/** The bytes of a well-formed lmdb file with these records. */
const lmdbFile = (records: Records) =>
  inDir(async (dir) => {
    const db = open<Buffer, Buffer>({
      path: dataOf(dir),
      noSubdir: true,
      overlappingSync: false,
      keyEncoding: 'binary',
      encoding: 'binary',
    })
    db.transactionSync(() => {
      for (const [key, value] of records) db.putSync(key, value)
    })
    await db.close()
    return readFileSync(dataOf(dir))
  })

describe('a well-formed lmdb file is refused', () => {
  const key = keyBytes('a')
  const head: Head = { schema: 1, id: 'x', revision: 7, entries: 1, digest: encodeRecord(key, 7, 'v').readUInt32LE(0) }
  const entry = [key, encodeRecord(key, 7, 'v')] as const

  test('but not the one that is right', () =>
    inDir(async (dir) => {
      writeFileSync(dataOf(dir), await lmdbFile([[HEAD_KEY, encodeHead(head)], entry]))
      expect(await contentOf(dir)).toEqual([['a', 'v']])
    }))

  test.for([
    ['of another program', [[Buffer.from('k'), Buffer.from('v')]], 'StoreNotOurs', /without the head/],
    ['without records', [], 'StoreNotOurs', /without the head/],
    [
      'with a head of another program',
      [[HEAD_KEY, encodeRecord(HEAD_KEY, 1, '{"x":1}')]],
      'StoreDamaged',
      /head is not/,
    ],
    ['with a head that is no JSON', [[HEAD_KEY, encodeRecord(HEAD_KEY, 1, 'null')]], 'StoreDamaged', /head is not/],
    [
      'with a newer schema',
      [[HEAD_KEY, encodeHead({ ...head, schema: 2 })], entry],
      'StoreNewer',
      /version 2.* 1 at most/,
    ],
    [
      'with a record cut off',
      [
        [HEAD_KEY, encodeHead(head)],
        [key, entry[1].subarray(0, 9)],
      ],
      'StoreDamaged',
      /"a" has 9/,
    ],
    [
      'with a record under another key',
      [
        [HEAD_KEY, encodeHead(head)],
        [keyBytes('b'), entry[1]],
      ],
      'StoreDamaged',
      /record "b" does not match its checksum/,
    ],
    [
      'with a record from the future',
      [[HEAD_KEY, encodeHead({ ...head, revision: 6 })], entry],
      'StoreDamaged',
      /record "a" is of revision 7, later than the store's 6/,
    ],
    ['with a record lost', [[HEAD_KEY, encodeHead(head)]], 'StoreDamaged', /counts 1 records, other than the 0/],
    [
      'with an older state of a record',
      [
        [HEAD_KEY, encodeHead(head)],
        [key, encodeRecord(key, 6, 'v')],
      ],
      'StoreDamaged',
      /counts 1 records, other than/,
    ],
    [
      'with a key of another program',
      [[HEAD_KEY, encodeHead(head)], entry, [Buffer.from('zz'), Buffer.from('v')]],
      'StoreDamaged',
      /key that cnm does not use/,
    ],
  ] as ReadonlyArray<readonly [string, Records, string, RegExp]>)('%s', async ([, records, tag, sentence]) => {
    const error = await refused(await lmdbFile(records))
    expect(error.tag).toBe(tag)
    expect(explainStore(error)).toMatch(sentence)
  })
})

describe('a store that is being made', () => {
  test('leaves nothing when it is interrupted, and what is left of it is made again', () =>
    inDir(async (dir) => {
      const fresh = dataOf(dir).replace('store.mdb', 'store.new.mdb')
      for (const half of [Buffer.alloc(0), noise(5000), whole.subarray(0, 2 * PAGE)]) {
        mkdirSync(dirname(fresh), { recursive: true })
        writeFileSync(fresh, half)
        expect(await contentOf(dir)).toEqual([])
      }
    }))
})

describe('damage that comes while the store is open', () => {
  test('is seen when the record is read, and the transaction that meets it is refused', () =>
    inDir(async (dir) => {
      await withStore({ dir }, async (store) => {
        await right(store.transact({ compares: [], writes: [{ key: 'a', value: 'unmistakable' }] }))
        const bytes = readFileSync(dataOf(dir))
        strike(bytes, 'unmistakable')
        writeFileSync(dataOf(dir), bytes)
        const damaged = { tag: 'StoreDamaged', where: 'record "a"', why: 'does not match its checksum' }
        expect(await left(store.get('a'))).toMatchObject(damaged)
        expect(await left(store.list(''))).toMatchObject(damaged)
        const onto = store.transact({ compares: [], writes: [{ key: 'a', value: 'new' }] })
        expect(await left(onto)).toMatchObject(damaged)
      })
    }))
})

describe('check', () => {
  test('tells what a store holds that is well', () =>
    inDir(async (dir) => {
      writeFileSync(dataOf(dir), whole)
      const report = await right(checkStore(dir))
      const audited = audit(dataOf(dir))
      expect(report).toMatchObject({ file: dataOf(dir), schema: 1, problems: [] })
      expect(report.entries).toBe(E.isRight(audited) ? audited.right.entries.length : 0)
      expect(report.id).toMatch(/^[0-9a-f-]{36}$/)
      expect(await contentOf(dir)).toHaveLength(report.entries)
    }))

  test('names every record that is damaged', () =>
    inDir(async (dir) => {
      const names = ['small/7', 'small/30']
      const bytes = changed((bytes) => {
        for (const name of names) strike(bytes, `value of ${name}!`)
      })
      writeFileSync(dataOf(dir), bytes)
      const { problems } = await right(checkStore(dir))
      expect(problems.map((each) => (each.tag === 'StoreDamaged' ? each.where : each.tag)).sort()).toEqual(
        names.map((name) => `record "${name}"`).sort(),
      )
    }))

  test('says that there is none, without making one', () =>
    inDir(async (dir) => {
      expect(explainStore(await left(checkStore(dir)))).toMatch(/^there is no store in .*; name the state directory$/)
      expect(await left(checkStore(`${dir}/missing`))).toMatchObject({ tag: 'StoreUnavailable' })
    }))

  test('waits for nobody: a store in use is said to be so', () =>
    inDir((dir) =>
      withStore({ dir }, async () => {
        expect(await left(checkStore(dir))).toEqual({ tag: 'StoreInUse', dir, pid: process.pid })
      }),
    ))

  test('says of a truncated file what is missing', () =>
    inDir(async (dir) => {
      writeFileSync(dataOf(dir), whole)
      copyFileSync(dataOf(dir), `${dataOf(dir)}.copy`)
      truncateSync(dataOf(dir), whole.length / 2)
      expect(explainStore(await left(checkStore(dir)))).toMatch(/is damaged: page \d+ is beyond the end of the file/)
    }))
})
