// Value types: text and value are two forms of one thing, and arithmetic agrees with the definition.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { describe, expect, test as plainly } from 'vitest'
import {
  type Cidr,
  compareCidr,
  contains,
  covers,
  firstOf,
  lastOf,
  networkOf,
  nthOf,
  overlaps,
  parseCidr,
  showCidr,
  sizeOf,
} from '../src/net/cidr.ts'
import { compareIp, familyOf, type Ip, ip4, ip6, numberOf, parseIp, showIp, widthOf } from '../src/net/ip.ts'
import { isGroup, linkLocal6, mac, macFromHex, parseMac, showMac } from '../src/net/mac.ts'
import { parseIfName, parseNs } from '../src/net/name.ts'
import {
  changedIn,
  changesBetween,
  draftOf,
  emptyMap,
  entriesOf,
  entriesUnder,
  getIn,
  hasIn,
  mapOf,
  removeIn,
  setIn,
  sizeOfMap,
  valuesOf,
} from '../src/net/pmap.ts'
import { parsePort } from '../src/net/port.ts'
import { E } from '../src/prelude.ts'

const v4 = fc.nat(0xffffffff).map(ip4)
const v6 = fc.bigInt(0n, (1n << 128n) - 1n).map(ip6)
const ip: fc.Arbitrary<Ip> = fc.oneof(v4, v6)
/** Few bits differ, so that networks contain each other often. */
const near: fc.Arbitrary<Ip> = fc.oneof(
  fc.nat(255).map((n) => ip4(0x0a000000 + n * 0x1001)),
  fc.nat(255).map((n) => ip6((0xfd00n << 112n) + BigInt(n))),
)
const cidr: fc.Arbitrary<Cidr> = fc
  .oneof(ip, near)
  .chain((each) => fc.nat(widthOf(familyOf(each))).map((bits) => ({ ip: each, bits })))

describe('addresses', () => {
  test.prop([ip])('are the same after being shown and read', (each) => {
    expect(parseIp(showIp(each))).toEqual(E.right(each))
  })

  test.prop([ip])('are shown as ipaddr.js shows them', (each) => {
    const shown = showIp(each)
    const parsed = ipaddr.parse(shown)
    expect(shown).toBe(parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString())
  })

  test.prop([ip, ip])('are ordered by family, then value', (a, b) => {
    const expected =
      familyOf(a) !== familyOf(b) ? familyOf(a) - familyOf(b) : numberOf(a) < numberOf(b) ? -1 : Number(a !== b)
    expect(Math.sign(compareIp(a, b))).toBe(Math.sign(expected))
  })

  const group = fc.nat(0xffff).map((n) => n.toString(16))
  test.prop([fc.array(group, { maxLength: 4 }), fc.nat(0xffffffff).map(ip4)])(
    'of IPv6 are the same with their last 32 bits in dotted decimal',
    (groups, low) => {
      const head = `${groups.join(':')}::`
      const hex = `${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`
      expect(parseIp(head + showIp(low))).toEqual(parseIp(head + hex))
      expect(E.isRight(parseIp(head + hex))).toBe(true)
    },
  )

  test.prop([fc.string()])('are read without a throw, from anything', (text) => {
    const read = parseIp(text)
    if (E.isRight(read)) expect(ipaddr.isValid(text)).toBe(true)
  })

  test.prop([
    fc.constantFrom('010.0.0.1', '127.1', '0x7f.1', '1.2.3.256', '::1%eth0', '1.2.3', '::ffff:01.2.3.4', ''),
    fc.constant(0),
  ])('are refused in every form that means different things to different programs', (text) => {
    expect(E.isLeft(parseIp(text))).toBe(true)
  })
})

describe('networks', () => {
  test.prop([cidr])('are the same after being shown and read', (each) => {
    expect(parseCidr(showCidr(each))).toEqual(E.right(each))
  })

  test.prop([cidr, fc.oneof(ip, near)])('contain what lies between their first and last address', (network, each) => {
    const between =
      familyOf(each) === familyOf(network.ip) &&
      compareIp(firstOf(network), each) <= 0 &&
      compareIp(each, lastOf(network)) <= 0
    expect(contains(network, each)).toBe(between)
  })

  test.prop([cidr, cidr])('overlap exactly when one covers the other, and then share an address', (a, b) => {
    const shared = contains(a, firstOf(b)) || contains(b, firstOf(a))
    expect(overlaps(a, b)).toBe(shared)
    if (covers(a, b)) expect(contains(a, firstOf(b)) && contains(a, lastOf(b))).toBe(true)
  })

  test.prop([cidr])('have as many addresses as their size says', (each) => {
    expect(nthOf(each, sizeOf(each) - 1n)).toBe(lastOf(each))
    expect(nthOf(each, 0n)).toBe(networkOf(each).ip)
  })

  test.prop([cidr, cidr])('are ordered, and equal only to themselves', (a, b) => {
    expect(compareCidr(a, b) === 0).toBe(showCidr(a) === showCidr(b))
  })
})

describe('MACs, ports and names', () => {
  test.prop([fc.nat(2 ** 31 - 1).chain((high) => fc.nat(2 ** 17 - 1).map((low) => mac(high * 2 ** 17 + low)))])(
    'are the same after being shown and read',
    (each) => {
      expect(parseMac(showMac(each))).toEqual(E.right(each))
      expect(linkLocal6(each) >> 64n).toBe(0xfe80n << 48n)
    },
  )

  test.prop([fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 12, maxLength: 64 })])(
    'are unicast and locally administered when made from an id',
    (hex) => {
      const made = macFromHex(hex)
      expect(isGroup(made)).toBe(false)
      expect(Math.floor(made / 2 ** 41) % 2).toBe(1)
    },
  )

  test.prop([fc.string()])('cannot carry anything into a command line', (text) => {
    const names: ReadonlyArray<E.Either<string, string>> = [parseIfName(text), parseNs(text)]
    for (const read of names) if (E.isRight(read)) expect(read.right).toMatch(/^[A-Za-z0-9_.-]+$/)
    const port = parsePort(text)
    if (E.isRight(port)) expect(String(port.right)).toBe(text)
  })
})

/** Keys that meet each other often, of several lengths. */
const key = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 })
type Edit = Readonly<{ key: string; value: number | null }>
const edit: fc.Arbitrary<Edit> = fc.record({ key, value: fc.option(fc.nat(3)) })

const both = (edits: ReadonlyArray<Edit>) => {
  let ours = emptyMap<number>()
  const theirs = new Map<string, number>()
  for (const { key: at, value } of edits) {
    ours = value === null ? removeIn(ours, at) : setIn(ours, at, value)
    if (value === null) theirs.delete(at)
    else theirs.set(at, value)
  }
  const sorted = [...theirs].sort(([a], [b]) => (a < b ? -1 : 1))
  return { ours, sorted }
}

describe('the persistent map', () => {
  test.prop([fc.array(edit)])('holds what a sorted Map would', (edits) => {
    const { ours, sorted } = both(edits)
    expect([...entriesOf(ours)]).toEqual(sorted)
    expect(valuesOf(ours)).toEqual(sorted.map(([, value]) => value))
    expect(sizeOfMap(ours)).toBe(sorted.length)
    for (const { key: at } of edits) {
      expect(getIn(ours, at)).toBe(new Map(sorted).get(at))
      expect(hasIn(ours, at)).toBe(new Map(sorted).has(at))
    }
  })

  test.prop([fc.array(edit)])('has a shape that depends on its contents only', (edits) => {
    const { ours, sorted } = both(edits)
    expect(mapOf([...sorted].reverse())).toEqual(ours)
  })

  test.prop([fc.array(edit), key])('finds what is below a prefix', (edits, prefix) => {
    const { ours, sorted } = both(edits)
    expect(entriesUnder(ours, prefix)).toEqual(sorted.filter(([each]) => each.startsWith(prefix)))
    expect([...entriesOf(ours, prefix)]).toEqual(sorted.filter(([each]) => each >= prefix))
  })

  test.prop([fc.array(edit), fc.array(edit)])('tells exactly what changed between two versions', (first, second) => {
    const before = both(first).ours
    const after = second.reduce(
      (map, { key: at, value }) => (value === null ? removeIn(map, at) : setIn(map, at, value)),
      before,
    )
    const keys = new Set([...entriesOf(before), ...entriesOf(after)].map(([each]) => each))
    const expected = [...keys].sort().filter((each) => getIn(before, each) !== getIn(after, each))
    const changes = changesBetween(before, after)
    expect(changes.map((change) => change.key)).toEqual(expected)
    for (const change of changes)
      expect([change.before, change.after]).toEqual([getIn(before, change.key), getIn(after, change.key)])
  })

  test.prop([fc.array(edit), fc.array(edit)])(
    'tells what differs between maps of different origin',
    (first, second) => {
      const [one, two] = [both(first).ours, both(second).ours]
      const keys = new Set([...entriesOf(one), ...entriesOf(two)].map(([each]) => each))
      const expected = [...keys].sort().filter((each) => getIn(one, each) !== getIn(two, each))
      expect(changesBetween(one, two).map((change) => change.key)).toEqual(expected)
    },
  )

  test.prop([fc.array(edit), fc.array(fc.array(edit))])(
    'made in drafts is the same, and no draft reaches back',
    (first, later) => {
      const start = both(first).ours
      const draft = draftOf(start)
      const states = [start]
      for (const edits of later) {
        for (const { key: at, value } of edits) {
          if (value === null) draft.remove(at)
          else draft.set(at, value)
          expect(draft.get(at)).toBe(value ?? undefined)
          expect(draft.sizeUnder(at)).toBe(draft.under(at).length)
        }
        states.push(draft.done())
      }
      const plainly = states.map((_, n) => both([...first, ...later.slice(0, n).flat()]).ours)
      expect(states).toEqual(plainly)
    },
  )

  test.prop([fc.array(edit), fc.array(edit)])('changed at once is the same as changed bit by bit', (first, then) => {
    const start = both(first).ours
    const before = JSON.stringify([...entriesOf(start)])
    const changes = then.map(({ key: at, value }) => [at, value] as const)
    expect(changedIn(start, changes)).toEqual(both([...first, ...then]).ours)
    expect(changedIn(start, [])).toBe(start)
    expect(JSON.stringify([...entriesOf(start)])).toBe(before)
  })

  plainly('may be as deep as keys are long: 8,000 of which each begins the next', () => {
    const deep = mapOf(Array.from({ length: 8_000 }, (_, n) => ['a'.repeat(n), n] as const))
    expect([sizeOfMap(deep), getIn(deep, 'a'.repeat(7_999)), valuesOf(deep).length]).toEqual([8_000, 7_999, 8_000])
    const less = removeIn(deep, 'a'.repeat(7_998))
    expect(changesBetween(deep, less)).toEqual([{ key: 'a'.repeat(7_998), before: 7_998, after: undefined }])
  })

  test.prop([fc.array(edit), edit])('leaves old versions as they were', (edits, { key: at, value }) => {
    const { ours } = both(edits)
    const frozen = JSON.stringify([...entriesOf(ours)])
    value === null ? removeIn(ours, at) : setIn(ours, at, value)
    expect(JSON.stringify([...entriesOf(ours)])).toBe(frozen)
  })
})
