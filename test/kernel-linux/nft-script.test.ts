// nft is played by a function that keeps a set of keys and answers as the real one does (nft.test.ts has the real one).

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { bridgeElement, masqueradeElement, skeletonTable } from '../../src/kernel/firewall/elements.ts'
import type { NftElement } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { carryOut } from '../../src/kernel-linux/nft/carry-out.ts'
import { readListing } from '../../src/kernel-linux/nft/listing.ts'
import { namedIn, type Script, scriptOf, transactionsOf } from '../../src/kernel-linux/nft/script.ts'
import { cidr } from '../../src/net/cidr.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { leftOf, rightOf } from './labs.ts'

const create = (object: KernelOp['object']): KernelOp => ({ verb: 'create', object })
const bridge = (n: number): KernelOp => create(bridgeElement(HOST, ifName(`br${n}`)))
const subnet = masqueradeElement(HOST, cidr('10.1.0.0/16'))
const TABLE = create(skeletonTable(HOST))

/** Refuses what has one of these words, and says so in nft's way; `pointing` as nft does where it reads from a file. */
const player = (pointing: boolean, ...bad: ReadonlyArray<string>) => {
  const scripts: string[] = []
  const attempt = async ({ text }: Script) => {
    scripts.push(text)
    const complaints = text.split('\n').flatMap((line, i) => {
      if (!bad.some((word) => line.includes(word))) return []
      return [`${pointing ? `/dev/stdin:${i + 1}:1-2: ` : ''}Error: Could not process rule: File exists\n${line}\n^^`]
    })
    return E.right(complaints.length === 0 ? null : complaints.join('\n'))
  }
  return { attempt, scripts }
}

const refusals = async (nft: ReturnType<typeof player>, ops: ReadonlyArray<KernelOp>) =>
  rightOf(await carryOut(nft.attempt, ops)).map(({ at, complaint }) => `${at} ${complaint.errno}`)

describe('operations as transactions', () => {
  const eight = [0, 1, 2, 3, 4, 5, 6, 7].map(bridge)

  test('all are one', async () => {
    const nft = player(true)
    expect(await refusals(nft, [TABLE, ...eight])).toEqual([])
    expect(nft.scripts).toHaveLength(1)
  })

  test('of one that is refused, what nft points at is tried alone, and the rest together', async () => {
    const nft = player(true, '"br3"', '"br7"')
    expect(await refusals(nft, eight)).toEqual(['3 EEXIST', '7 EEXIST'])
    expect(nft.scripts.map((script) => script.split('\n').length - 1)).toEqual([8, 3, 1, 3, 1])
  })

  test('where it does not point, halving finds the same', async () => {
    expect(await refusals(player(false, '"br3"', '"br7"'), eight)).toEqual(['3 EEXIST', '7 EEXIST'])
  })

  test('elements of a table that could not be made are not tried', async () => {
    const nft = player(true, 'create table')
    expect(await refusals(nft, [TABLE, bridge(1), bridge(2)])).toEqual(['0 EEXIST', '1 ENOENT', '2 ENOENT'])
    expect(nft.scripts).toHaveLength(2)
  })

  test('an error of the way there ends it', async () => {
    const gone = { tag: 'KernelUnavailable', what: 'x', hint: null } as const
    expect(leftOf(await carryOut(async () => E.left(gone), eight))).toBe(gone)
  })

  test('an interval that is made a second time begins the next', () => {
    expect(
      transactionsOf([TABLE, create(subnet), bridge(1), bridge(1), create(subnet)]).map((group) =>
        group.map(({ at }) => at),
      ),
    ).toEqual([[0, 1, 2, 3], [4]])
  })

  test('intervals are added, not created, to a table of the same transaction only', async () => {
    const placed = [TABLE, create(subnet)].map((op, at) => ({ at, op }))
    expect((await scriptOf(placed)).text).toMatch(/^add element inet cnm masquerade4 \{ 10\.1\.0\.0\/16 \}$/m)
    expect((await scriptOf(placed.slice(1))).text).toMatch(/^create element /)
  })

  test('a line within the table is the table', async () => {
    const script = await scriptOf([TABLE, bridge(1)].map((op, at) => ({ at, op })))
    const last = script.text.split('\n').length - 1
    const complaint = (line: number): string => `/dev/stdin:${line}:3-4: Error: x\nline\n^^`
    expect([...namedIn(script, complaint(7))]).toEqual([0])
    expect([...namedIn(script, complaint(last))]).toEqual([1])
    expect([...namedIn(script, 'Error: x')]).toEqual([])
  })
})

describe('a listing that is read in pieces', () => {
  const recorded = readFileSync(new URL('recorded/table.json', import.meta.url), 'utf8')

  test('may be of any length, and hold words of others', async () => {
    const sets = (count: number) => {
      const bridges = Array.from({ length: count }, (_, i) => `br${i}`)
      const foreign = {
        set: { name: 'x', comment: 'a "elem": [ ] \\ } of others', elem: [{ elem: { val: ']' } }, 'b"['] },
      }
      return { nftables: [{ table: {} }, foreign, { set: { name: 'bridges', elem: bridges } }, foreign] }
    }
    const elements: (count: number) => ReadonlyArray<NftElement> = (count) =>
      Array.from({ length: count }, (_, i) => bridgeElement(HOST, ifName(`br${i}`)))
    for (const count of [0, 1, 255, 256, 257, 512, 1000]) {
      const listed = rightOf(await readListing(HOST, JSON.stringify(sets(count)).replaceAll('"elem":[', '"elem": [')))
      expect(listed).toEqual([{ kind: 'nft-table', ns: HOST, skeleton: 0 }, ...elements(count)])
    }
  })

  test('that is cut off is an error, not an empty table', async () => {
    for (const end of [0, 100, recorded.length >> 1, recorded.trimEnd().length - 1])
      expect(leftOf(await readListing(HOST, recorded.slice(0, end))).tag).toBe('KernelUnavailable')
  })
})
