// Frames that Linux sent are read for what they say and made again to the last byte; what is wrong is named; what is unknown
// stays as it was.

import { describe, expect, test } from 'vitest'
import { arpAnnouncement, arpProbe } from '../../../src/kernel-sim/wire/arp.ts'
import { checksum } from '../../../src/kernel-sim/wire/checksum.ts'
import { explainWireError } from '../../../src/kernel-sim/wire/error.ts'
import { frame } from '../../../src/kernel-sim/wire/ethernet.ts'
import { packet4 } from '../../../src/kernel-sim/wire/ip4.ts'
import { packet6 } from '../../../src/kernel-sim/wire/ip6.ts'
import { decodeFrame, decodePacket, encodeFrame, encodePacket, lengthOf } from '../../../src/kernel-sim/wire/wire.ts'
import { BROADCAST } from '../../../src/net/mac.ts'
import { E } from '../../../src/prelude.ts'
import { CAPTURED } from './captured.ts'
import { A, decoded, four, fromAToB, hex, six, unhex } from './lib.ts'

describe('what Linux sends', () => {
  test.for(CAPTURED)('$what', ({ hex: sent, says }) => {
    const frame = decoded(sent)
    expect(frame.payload).toMatchObject(says)
    expect(hex(encodeFrame(frame))).toBe(sent)
    expect(lengthOf(frame)).toBe(sent.length / 2)
  })

  test('to announce an address is what we make of it', () => {
    const sent = CAPTURED.find(({ what }) => what.startsWith('the announcement'))
    expect(hex(encodeFrame(frame(A, BROADCAST, arpAnnouncement(A, four('10.9.0.1')))))).toBe(sent?.hex)
  })
})

test('the example of RFC 1071', () => {
  expect(checksum(unhex('0001f203f4f5f6f7'))).toBe(0x220d)
  expect(checksum(unhex('0001f203f4f5f6'))).toBe(0x2304)
})

test('a probe asks for nobody', () => {
  expect(hex(encodeFrame(frame(A, BROADCAST, arpProbe(A, four('10.9.0.1')))))).toBe(
    'ffffffffffff02000000000a0806' + '0001080006040001' + '02000000000a00000000' + '0000000000000a090001',
  )
})

describe('tags of VLANs', () => {
  const tagged = `02000000000b02000000000a 88a8 e064 8100 102a 9000 0102`
  test('are read from the outermost inwards', () => {
    expect(decoded(tagged)).toMatchObject({
      tags: [
        { protocol: '802.1ad', vid: 100, priority: 7, dei: false },
        { protocol: '802.1Q', vid: 42, priority: 0, dei: true },
      ],
      payload: { tag: 'raw', etherType: 0x9000, bytes: unhex('0102') },
    })
    expect(hex(encodeFrame(decoded(tagged)))).toBe(tagged.replaceAll(' ', ''))
  })
})

const nobody = four('0.0.0.0')
const udp = (payload: string) => ({ proto: 'udp', sport: 0, dport: 0, checked: true, payload: unhex(payload) }) as const
/** Where the UDP checksum is, behind Ethernet and IPv4. */
const checksumOf = (payload: string): string =>
  hex(encodeFrame(fromAToB(packet4(nobody, nobody, udp(payload)))).subarray(40, 42))

describe('the checksum of UDP', () => {
  test('that is 0 is sent as its other form, for 0 says that there is none', () => {
    // Protocol and two lengths: 0x11 + 0x0a + 0x0a = 0x25.
    expect(checksumOf('ffda')).toBe('ffff')
    expect(checksumOf('ffd9')).toBe('0001')
  })

  test.for(['192.0.2.1', '2001:db8::1'])('may be left out from %s', (text) => {
    const bare = { ...udp('01'), checked: false }
    const sent = text.includes(':') ? packet6(six(text), six('::'), bare) : packet4(four(text), nobody, bare)
    const bytes = encodeFrame(fromAToB(sent))
    expect(hex(bytes.subarray(-3))).toBe('000001')
    expect(decodeFrame(bytes)).toEqual(E.right(fromAToB(sent)))
  })
})

/** A packet of IPv4 with a sound header: 20 bytes, then these. */
const ip4Bytes = (protocol: number, message: string): Uint8Array =>
  encodePacket(packet4(nobody, nobody, { proto: 'raw', protocol, bytes: unhex(message) }))
const ip6Bytes = (protocol: number, message: string): Uint8Array =>
  encodePacket(packet6(six('::'), six('::'), { proto: 'raw', protocol, bytes: unhex(message) }))
const withByte = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
  const changed = bytes.slice()
  changed[at] = value
  return changed
}

describe('wrong bytes are named by layer, reason and place', () => {
  const ethernet = '02000000000b02000000000a'
  test.for([
    ['no frame', '02000000000b02000000', 'ethernet', 'truncated', 0],
    ['half a tag', `${ethernet}81000001`, 'vlan', 'truncated', 12],
    ['half an ARP', `${ethernet}0806000108000604000102000000`, 'arp', 'truncated', 14],
    ['half a header of IPv4', `${ethernet}080045000014`, 'ip4', 'truncated', 14],
    ['IPv6 where IPv4 should be', `${ethernet}080060${'00'.repeat(39)}`, 'ip4', 'version', 14],
    ['IPv4 where IPv6 should be', `${ethernet}86dd45${'00'.repeat(39)}`, 'ip6', 'version', 14],
    ['a header of 16 bytes', `${ethernet}080044${'00'.repeat(19)}`, 'ip4', 'length', 14],
    ['an IPv6 packet that is cut off', `${ethernet}86dd6000000000010640${'00'.repeat(32)}`, 'ip6', 'length', 14],
  ] as const)('%s', ([, bytes, layer, reason, at]) => {
    const error = decodeFrame(unhex(bytes))
    expect(error).toEqual(E.left({ layer, reason, at }))
    expect(E.isLeft(error) && explainWireError(error.left)).toMatch(/^the \w+ layer at byte \d+ (ends|has) /)
  })

  test.for([
    ['a header of IPv4 that has changed', withByte(ip4Bytes(253, ''), 8, 1), 'ip4', 'checksum', 0],
    ['an IPv4 packet that is cut off', ip4Bytes(253, '0102').subarray(0, 21), 'ip4', 'length', 0],
    ['half a header of UDP', ip4Bytes(17, '00010002'), 'udp', 'truncated', 20],
    ['a datagram that is longer than its packet', ip4Bytes(17, '00010002000a0000'), 'udp', 'length', 20],
    ['a datagram that is shorter than its header', ip4Bytes(17, '0001000200070000'), 'udp', 'length', 20],
    ['a datagram with another checksum', ip4Bytes(17, '0001000200081234'), 'udp', 'checksum', 20],
    ['half a header of TCP', ip4Bytes(6, '00010002'), 'tcp', 'truncated', 20],
    ['options that are not there', ip4Bytes(6, `${'00'.repeat(12)}60${'00'.repeat(7)}`), 'tcp', 'length', 20],
    ['a segment with another checksum', ip4Bytes(6, `${'00'.repeat(12)}50${'00'.repeat(7)}`), 'tcp', 'checksum', 20],
    ['half a header of ICMP', ip4Bytes(1, '0800'), 'icmp', 'truncated', 20],
    ['a message of ICMP with another checksum', ip4Bytes(1, '0800000000000000'), 'icmp', 'checksum', 20],
    ['half a header of IGMP', ip4Bytes(2, '2200'), 'igmp', 'truncated', 20],
    ['a message of IGMP with another checksum', ip4Bytes(2, '2200000000000000'), 'igmp', 'checksum', 20],
    ['half a header of ICMPv6', ip6Bytes(58, '8000'), 'icmp6', 'truncated', 40],
    ['a message of ICMPv6 with another checksum', ip6Bytes(58, '8000000000000000'), 'icmp6', 'checksum', 40],
    // Checksums: over the pseudo header of 58 and the length.
    ['an advertisement without its target', ip6Bytes(58, '880077bd00000000'), 'icmp6', 'truncated', 40],
    ['an option of no length', ip6Bytes(58, '85007ab500000000 0000000000000000'), 'icmp6', 'length', 40],
  ] as const)('%s', ([, bytes, layer, reason, at]) => {
    expect(decodePacket(bytes)).toEqual(E.left({ layer, reason, at }))
  })
})

describe('what has no type stays bytes', () => {
  const staysAs = (bytes: Uint8Array, part: object): void => {
    const ethernet = unhex(`02000000000b02000000000a${(bytes[0] ?? 0) >> 4 === 6 ? '86dd' : '0800'}`)
    const whole = Uint8Array.of(...ethernet, ...bytes)
    const frame = decoded(hex(whole))
    expect(frame.payload).toMatchObject(part)
    expect(hex(encodeFrame(frame))).toBe(hex(whole))
  }

  test('a packet with options of IPv4', () => {
    // Record route, one place.
    const bytes = unhex('4700001c0000000040016ddb 00000000 00000000 07070400 00000000')
    staysAs(bytes, { tag: 'raw', etherType: 0x0800, bytes })
  })

  test('a message of ICMP of another type', () => {
    staysAs(ip4Bytes(1, '0d00f2ff00000000'), { tag: 'ip4', body: { proto: 'raw', protocol: 1 } })
  })

  test('hop-by-hop options that are no router alert', () => {
    staysAs(ip6Bytes(0, '3b00010400000000'), { tag: 'ip6', body: { proto: 'raw', protocol: 0 } })
  })

  test('hop-by-hop options of which a router alert is but the first', () => {
    staysAs(ip6Bytes(0, '3b01050200000100 0106000000000000'), { tag: 'ip6', body: { proto: 'raw', protocol: 0 } })
  })

  test('a checksum in the form of zero that nobody computes', () => {
    // The echo's id makes the sum 0xffff and the checksum 0, for which 0xffff would hold as well.
    staysAs(ip4Bytes(1, '08000000f7ff0000'), { body: { proto: 'icmp', id: 0xf7ff } })
    staysAs(ip4Bytes(1, '0800fffff7ff0000'), { body: { proto: 'raw', protocol: 1 } })
    const zero = encodePacket({
      ...packet4(nobody, nobody, { proto: 'raw', protocol: 253, bytes: unhex('') }),
      id: 0x39ee,
    })
    expect(hex(zero.subarray(10, 12))).toBe('0000')
    const bytes = withByte(withByte(zero, 10, 0xff), 11, 0xff)
    staysAs(bytes, { tag: 'raw', etherType: 0x0800, bytes })
  })

  test('options of TCP that acknowledge no block', () => {
    const tcp = { proto: 'tcp', sport: 1, dport: 2, seq: 0, ack: 0, flags: 16, window: 0, urgent: 0 } as const
    const sent = { ...tcp, options: unhex('01010502'), payload: unhex('') }
    expect(decodePacket(encodePacket(packet4(nobody, nobody, sent)))).toMatchObject({ right: { body: sent } })
  })

  test('the option of a redirect whose fill is not empty', () => {
    const about = packet6(six('::'), six('::'), udp('010203'))
    const redirect = packet6(six('::'), six('::'), {
      proto: 'icmp6',
      type: 'redirect',
      target: six('fe80::2'),
      destination: six('fd07::1'),
      options: [{ tag: 'redirected', about, missing: 0 }],
    })
    const bytes = encodePacket(redirect)
    expect(decodePacket(bytes)).toEqual(E.right(redirect))
    const view = new DataView(bytes.buffer)
    view.setUint16(42, view.getUint16(42) - 1)
    view.setUint8(bytes.length - 1, 1)
    staysAs(bytes, { body: { type: 'redirect', options: [{ tag: 'raw', type: 4 }] } })
  })

  test('a datagram to a port of VXLAN that is none', () => {
    staysAs(ip4Bytes(17, '0001 12b5 000c 0000 636e6d3f'), { body: { proto: 'udp', payload: unhex('636e6d3f') } })
  })

  test('what a device has filled up', () => {
    const arp = CAPTURED[0]?.hex ?? ''
    const frame = decoded(arp + '00'.repeat(18))
    expect(frame).toEqual({ ...decoded(arp), trailer: new Uint8Array(18) })
    expect(lengthOf(frame)).toBe(60)
  })
})
