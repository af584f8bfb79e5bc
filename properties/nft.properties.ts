// nftables as a language: what is listed reads back, a refusal changes nothing, a set holds what its elements say, no text is too
// strange to be answered, and no packet to be decided on.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import type { Host } from '../src/kernel-sim/nft/datatype.ts'
import { typeNamed } from '../src/kernel-sim/nft/datatype.ts'
import { askHook, evaluateHook, type Point, runOf, type Sight, settled } from '../src/kernel-sim/nft/evaluate.ts'
import { typesOf } from '../src/kernel-sim/nft/field.ts'
import { isWithin } from '../src/kernel-sim/nft/level.ts'
import { findElement, findWritten } from '../src/kernel-sim/nft/lookup.ts'
import { nft } from '../src/kernel-sim/nft/nft.ts'
import { type Element, EMPTY_RULESET, elementKey, type NamedSet, type Ruleset } from '../src/kernel-sim/nft/ruleset.ts'
import { fieldName } from '../src/kernel-sim/nft/run.ts'
import { mapOf } from '../src/net/pmap.ts'
import { anyText, histories, scriptText } from './arbitraries/nft.ts'

const HOST: Host = {
  indexOf: (name) => (name === 'lo' ? 1 : null),
  nameOf: (index) => (index === 1 ? 'lo' : null),
}
const NOW = { host: HOST, nowMs: 0 }
const OPTIONS = { file: '/dev/stdin', json: false, handles: false }

const run = (ruleset: Ruleset, script: string) => nft(ruleset, script, NOW, OPTIONS)
const built = (scripts: ReadonlyArray<string>): Ruleset =>
  scripts.reduce((ruleset, script) => run(ruleset, script).ruleset, EMPTY_RULESET)
const listing = (ruleset: Ruleset): string => run(ruleset, 'list ruleset').stdout
const document = (ruleset: Ruleset): string =>
  nft(ruleset, 'list ruleset', NOW, { ...OPTIONS, json: true }).stdout.replace(/"(handle":[0-9]+|size":65535),?/g, '')

/**
 * Two things that nft, too, reads otherwise than it lists them: a set that is declared with the rules that update it becomes
 * dynamic by them, and a set of one element in a rule is that element.
 */
const plain = (text: string): string =>
  text.replace(/\t\t(size 65535|flags dynamic)\n/g, '').replace(/(?<!@[a-z]+ )\{ ((?:(?! : )[^,{}\n])+) \}/g, '$1')

describe('a ruleset', () => {
  // What is listed makes the same ruleset again.
  test.prop([histories])('is the same after being listed and read', (scripts) => {
    const ruleset = built(scripts)
    const again = run(EMPTY_RULESET, listing(ruleset))
    expect(again.stderr).toBe('')
    expect(plain(listing(again.ruleset))).toBe(plain(listing(ruleset)))
    expect(document(run(EMPTY_RULESET, listing(again.ruleset)).ruleset)).toBe(document(again.ruleset))
  })

  // All of a transaction is done, or none, also when only its last command is refused. One thing Linux does not take back: a set
  // without a size gets one when a rule is made that updates it.
  test.prop([histories, scriptText])('is not changed by a transaction that is refused', (scripts, script) => {
    const ruleset = built(scripts)
    const refused = run(ruleset, `${script}\ndelete table ip no-such-table`)
    expect(refused.status).toBe(1)
    const unsized = (text: string): string => text.replace(/\t\tsize 65535\n/g, '')
    if (!/^add rule.* (add|update) @/m.test(script)) expect(refused.ruleset).toBe(ruleset)
    expect(unsized(listing(refused.ruleset))).toBe(unsized(listing(ruleset)))
  })
})

describe('any text', () => {
  // A script has an answer, with a status and a sentence that fit each other.
  test.prop([anyText])('is done or refused with a sentence, and never throws', (text) => {
    const { status, error, stderr } = run(EMPTY_RULESET, text)
    expect(status).toBe(error === null ? 0 : 1)
    expect(stderr.includes('Error: ')).toBe(status === 1)
  })
})

/** A packet of which every field is there or not, with small values, by a number that it is made of. */
const sightOf = (seed: number): Sight => ({
  field: (field) => {
    const type = typesOf(field)?.[0]
    const n = [...fieldName(field)].reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) >>> 0, seed) % 97
    if (type === undefined || n < 20) return null
    if (type.name === 'ifname') return n % 2 === 0 ? 'lo' : 'eth0'
    if (type.bits > 64) return (0xfdn << 120n) + BigInt(n)
    if (type.name === 'ipv4_addr') return 0x0a000000 + n
    return n % 2 ** type.bits
  },
  random: (n) => seed % n,
  flowHash: () => seed,
  length: () => 60,
  nowMs: seed % 1000,
})
const points: fc.Arbitrary<Point> = fc.record({
  family: fc.constantFrom('ip', 'ip6'),
  hook: fc.constantFrom('prerouting', 'input', 'forward', 'output', 'postrouting'),
  device: fc.constant(null),
})
const packets = fc.array(fc.tuple(points, fc.nat()), { minLength: 1, maxLength: 8 })

describe('packets', () => {
  // Whatever the rules and the packet, there is a decision, and a drop, a rejection and a translation name their base chain.
  test.prop([histories, packets])('are decided on', (scripts, asked) => {
    const ruleset = built(scripts)
    for (const [point, seed] of asked) {
      const { decision } = evaluateHook(ruleset, point, sightOf(seed))
      if (decision.tag !== 'accept') expect(decision.base.chain).not.toBe('')
    }
  })

  // Many packets in one run leave what they leave one by one, and are decided on alike; the ruleset before them stays as it was.
  test.prop([histories, packets])('leave the same one by one and in one run', (scripts, asked) => {
    const before = built(scripts)
    const text = listing(before)
    const run = runOf(before)
    let one = before
    for (const [point, seed] of asked) {
      const alone = evaluateHook(one, point, sightOf(seed))
      one = alone.ruleset
      expect(askHook(run, point, sightOf(seed))).toEqual(alone.decision)
    }
    expect(listing(settled(run))).toBe(listing(one))
    expect(listing(before)).toBe(text)
  })
})

describe('a listing as JSON', () => {
  // It is a document that begins with who wrote it.
  test.prop([histories])('is JSON', (scripts) => {
    const { stdout } = nft(built(scripts), 'list ruleset', NOW, { ...OPTIONS, json: true })
    const { nftables } = JSON.parse(stdout)
    expect(nftables[0]).toMatchObject({ metainfo: { json_schema_version: 1 } })
  })
})

/** Small numbers, so that elements lie on and beside each other. */
const small = fc.nat(20)
const interval = fc.tuple(small, fc.oneof(fc.constant(0), fc.nat(6))).map(([from, more]) => ({ from, to: from + more }))
const keys = fc
  .integer({ min: 1, max: 3 })
  .chain((parts) => fc.array(fc.array(interval, { minLength: parts, maxLength: parts }), { maxLength: 12 }))

const setOf = (all: ReadonlyArray<Element['key']>, wide: boolean): NamedSet => ({
  name: 's',
  handle: 1,
  spec: {
    key: (all[0] ?? [{}]).map(() => typeNamed('mark')),
    data: null,
    keyOf: null,
    dataOf: null,
    flags: new Set(wide ? ['interval'] : []),
    timeoutMs: null,
    gcMs: null,
    size: null,
    bounded: false,
    capacity: null,
    policy: null,
    autoMerge: false,
    statements: [],
    comment: null,
  },
  elements: mapOf(
    all.map((key, i): readonly [string, Element] => [
      elementKey(key),
      { key, data: null, comment: null, timeoutMs: null, expiresMs: i % 5 === 4 ? 0 : null, statements: [], state: [] },
    ]),
  ),
})

const holds = (key: Element['key'], values: ReadonlyArray<number>): boolean =>
  key.every((part, i) => isWithin(part, values[i] ?? -1))

describe('a lookup', () => {
  // The index finds something exactly when a look at every element does.
  test.prop([keys, fc.array(small, { minLength: 3, maxLength: 3 })])('finds what a linear scan finds', (all, some) => {
    const values = some.slice(0, all[0]?.length ?? 1)
    const set = setOf(all, true)
    const alive = [...new Map(all.map((key, i) => [elementKey(key), { key, dead: i % 5 === 4 }])).values()]
    const scanned = alive.filter(({ key, dead }) => !dead && holds(key, values))
    const found = findElement(set, values, 1)
    expect(found !== null).toBe(scanned.length > 0)
    if (found !== null) expect(scanned.map(({ key }) => elementKey(key))).toContain(elementKey(found.key))
    const elements = all.map((key) => ({ key, data: null }))
    const written = { tag: 'anonymous', key: set.spec.key, data: null, interval: true, elements } as const
    expect(findWritten(written, values) !== null).toBe(all.some((key) => holds(key, values)))
  })
})
