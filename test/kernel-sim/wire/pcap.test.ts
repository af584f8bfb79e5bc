// Files of captures, byte by byte as their drafts lay them out.

import { describe, expect, test } from 'vitest'
import { writePcap } from '../../../src/kernel-sim/wire/pcap.ts'
import { writePcapng } from '../../../src/kernel-sim/wire/pcapng.ts'
import { hex, unhex } from './lib.ts'

const bytes = unhex('0102030405')
const timeNs = 1_700_000_000_123_456_789n

describe('pcap', () => {
  test('without packets is its header: nanoseconds, version 2.4, Ethernet', () => {
    expect(hex(writePcap([]))).toBe('4d3cb2a1' + '02000400' + '00000000' + '00000000' + '00000400' + '01000000')
  })

  test('has a time, two lengths and the bytes of each packet', () => {
    const packets = hex(writePcap([{ timeNs, bytes }])).slice(48)
    expect(packets).toBe('00f15365' + '15cd5b07' + '05000000' + '05000000' + '0102030405')
  })
})

describe('pcapng', () => {
  const SECTION = '0a0d0d0a' + '1c000000' + '4d3c2b1a' + '01000000' + 'ffffffffffffffff' + '1c000000'
  const NANOSECONDS = '09000100' + '09000000'
  const END = '00000000'

  test('describes each interface', () => {
    const file = hex(writePcapng({ interfaces: [{ name: 'eth0', description: 'h1' }], packets: [] }))
    const length = '30000000'
    const texts = `0200040065746830${'0300020068310000'}`
    expect(file).toBe(`${SECTION}01000000${length}${'0100000000000400'}${texts}${NANOSECONDS}${END}${length}`)
  })

  test('has an interface, a time and a comment with each packet', () => {
    const interfaces = [{ name: 'a' }, { name: 'b' }]
    const start = writePcapng({ interfaces, packets: [] }).length
    const file = writePcapng({ interfaces, packets: [{ timeNs, bytes, on: 1, comment: 'ok' }] })
    const time = 'fe9c9717' + '15cd853d'
    expect(hex(file.subarray(start))).toBe(
      `06000000${'34000000'}01000000${time}${'05000000'.repeat(2)}0102030405000000${'010002006f6b0000'}${END}${'34000000'}`,
    )
  })

  test('cuts a comment that is too long for an option, between two letters', () => {
    const comment = 'é'.repeat(40_000)
    const file = writePcapng({ interfaces: [{ name: 'a' }], packets: [{ timeNs, bytes, on: 0, comment }] })
    const text = new TextDecoder('utf-8', { fatal: true })
    const at = file.length - 4 - 4 - 65536
    expect(text.decode(file.subarray(at, at + 65534))).toBe('é'.repeat(32_767))
  })
})
