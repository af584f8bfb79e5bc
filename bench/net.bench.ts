// What the value types cost: addresses as primitives beside ipaddr.js's objects, and the persistent map beside the native
// Map, both as a plain mutable one (the floor, which keeps no old version) and copied at each change (which does).

import ipaddr from 'ipaddr.js'
import { type Ip, ip4, ip6, parseIp, showIp } from '../src/net/ip.ts'
import { getIn, mapOf, setIn } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { type Bench, rate } from './lib.ts'

const SIZE = 1000

// Spread over the whole width by odd multipliers, so that no two share a prefix for long.
const indices = Array.from({ length: SIZE }, (_, i) => i)
const v4 = indices.map((i) => ip4(Math.imul(i, 0x9e3779b1) >>> 0))
const v6 = indices.map((i) => ip6(BigInt.asUintN(128, BigInt(i) * 0x9e3779b97f4a7c15f39cc0605cedc835n)))

const parse = (ips: ReadonlyArray<Ip>) => {
  const texts = ips.map(showIp)
  return rate(SIZE, {
    ours: () => {
      let read = 0
      for (const text of texts) if (E.isRight(parseIp(text))) read++
      return read
    },
    peers: {
      'ipaddr.js': () => {
        let read = 0
        for (const text of texts) if (ipaddr.parse(text).kind().length > 0) read++
        return read
      },
    },
  })
}

const show = (ips: ReadonlyArray<Ip>) => {
  const objects = ips.map((ip) => ipaddr.parse(showIp(ip)))
  return rate(SIZE, {
    ours: () => {
      let length = 0
      for (const ip of ips) length += showIp(ip).length
      return length
    },
    peers: {
      'ipaddr.js': () => {
        let length = 0
        for (const object of objects) length += object.toString().length
        return length
      },
    },
  })
}

const keys = indices.map((i) => `link/cnm-${i}`)
const entries = keys.map((key, i) => [key, i] as const)
const persistent = mapOf(entries)
const native = new Map(entries)

// Each call changes other keys than the one before, so that no version is set to what it holds already.
const STEPS = 100
const changing = (set: (key: string, value: number) => void): (() => void) => {
  let step = 0
  return () => {
    for (let i = 0; i < STEPS; i++, step++) set(keys[(step * 7) % SIZE] ?? '', -step)
  }
}

const mapGet = () =>
  rate(SIZE, {
    ours: () => {
      let sum = 0
      for (const key of keys) sum += getIn(persistent, key) ?? 0
      return sum
    },
    peers: {
      'native Map': () => {
        let sum = 0
        for (const key of keys) sum += native.get(key) ?? 0
        return sum
      },
    },
  })

const mapSet = () => {
  let ours = persistent
  let copied: ReadonlyMap<string, number> = native
  const mutable = new Map(native)
  return rate(STEPS, {
    ours: changing((key, value) => {
      ours = setIn(ours, key, value)
    }),
    peers: {
      'native Map copy': changing((key, value) => {
        copied = new Map(copied).set(key, value)
      }),
      'native Map': changing((key, value) => {
        mutable.set(key, value)
      }),
    },
  })
}

export const benches: ReadonlyArray<Bench> = [
  { name: 'net.parse4.rate', unit: '1/s', better: 'higher', run: () => parse(v4) },
  { name: 'net.parse6.rate', unit: '1/s', better: 'higher', run: () => parse(v6) },
  { name: 'net.show4.rate', unit: '1/s', better: 'higher', run: () => show(v4) },
  { name: 'net.show6.rate', unit: '1/s', better: 'higher', run: () => show(v6) },
  { name: 'net.pmapGet1000.rate', unit: '1/s', better: 'higher', run: mapGet },
  { name: 'net.pmapSet1000.rate', unit: '1/s', better: 'higher', run: mapSet },
]
