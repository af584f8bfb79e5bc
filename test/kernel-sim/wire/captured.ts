// Frames that Linux 6.18 sent over a veth between two namespaces, 10.9.0.1 and fd09::1 on 02:00:00:00:00:0a, 10.9.0.2 and
// fd09::2 on 02:00:00:00:00:0b, captured by tcpdump with checksum offloading off; and what they say, as far as it was given.

import { FLAG } from '../../../src/kernel-sim/wire/tcp.ts'
import { ip } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'

const A = mac(0x02000000000a)
const B = mac(0x02000000000b)
const text = (of: string): Uint8Array => new TextEncoder().encode(of)

/** `says`: a part of the payload. */
type Captured = Readonly<{ what: string; hex: string; says: object }>

export const CAPTURED: ReadonlyArray<Captured> = [
  {
    what: 'an ARP request',
    hex: 'ffffffffffff02000000000a0806000108000604000102000000000a0a0900010000000000000a090002',
    says: {
      tag: 'arp',
      op: 'request',
      sender: ip('10.9.0.1'),
      senderMac: A,
      target: ip('10.9.0.2'),
      targetMac: mac(0),
    },
  },
  {
    what: 'an ARP reply',
    hex: '02000000000a02000000000b0806000108000604000202000000000b0a09000202000000000a0a090001',
    says: { tag: 'arp', op: 'reply', sender: ip('10.9.0.2'), senderMac: B, target: ip('10.9.0.1'), targetMac: A },
  },
  {
    what: 'the announcement of an address (arp_notify)',
    hex: 'ffffffffffff02000000000a0806000108000604000102000000000a0a0900010000000000000a090001',
    says: { tag: 'arp', op: 'request', sender: ip('10.9.0.1'), target: ip('10.9.0.1'), targetMac: mac(0) },
  },
  {
    what: 'an echo request',
    hex: '02000000000b02000000000a08004500005438ec40004001eda80a0900010a09000208007fb61abc0001dfa0026b00000000b5ad070000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637',
    says: {
      src: ip('10.9.0.1'),
      dst: ip('10.9.0.2'),
      ttl: 64,
      tos: 0,
      df: true,
      mf: false,
      offset: 0,
      body: { proto: 'icmp', type: 'echo-request', id: 0x1abc, seq: 1 },
    },
  },
  {
    what: 'an echo reply over IPv6',
    hex: '02000000000a02000000000b86dd6007410d00403a40fd090000000000000000000000000002fd090000000000000000000000000001810047e91ac00001dfa0026b0000000079e5070000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637',
    says: { src: ip('fd09::2'), dst: ip('fd09::1'), ttl: 64, body: { proto: 'icmp6', type: 'echo-reply', seq: 1 } },
  },
  {
    what: 'a datagram',
    hex: '02000000000b02000000000a08004500001f273a40004011ff7f0a0900010a090002b2b40009000b6897636e6d',
    says: { df: true, body: { proto: 'udp', dport: 9, checked: true, payload: text('cnm') } },
  },
  {
    what: 'port unreachable',
    hex: '02000000000a02000000000b080045c0003b1617000040014fd70a0900020a0900010303112e000000004500001f273a40004011ff7f0a0900010a090002b2b40009000b6897636e6d',
    says: {
      tos: 0xc0,
      body: {
        type: 'unreachable',
        code: 'port',
        mtu: 0,
        missing: 0,
        about: { body: { proto: 'udp', dport: 9, payload: text('cnm') } },
      },
    },
  },
  {
    what: 'TTL exceeded',
    hex: '02000000000a02000000000b080045c00070726800004001f3500a0900020a0900010b00f4ff00000000450000547bd440000101e9c30a0900010a0700010800c52278b00001b9a0026b00000000364d090000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637',
    says: {
      tos: 0xc0,
      body: {
        type: 'time-exceeded',
        code: 'transit',
        about: { ttl: 1, dst: ip('10.7.0.1'), body: { type: 'echo-request' } },
      },
    },
  },
  {
    what: 'a redirect for a host',
    hex: '02000000000a02000000000b080045c00070726900004001f34f0a0900020a0900010501f0f20a090003450000547bd540003f01abc20a0900010a0700010800421178b10001b9a0026b00000000b95d090000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637',
    says: {
      body: { type: 'redirect', code: 'host', gateway: ip('10.9.0.3'), about: { ttl: 63, dst: ip('10.7.0.1') } },
    },
  },
  {
    what: 'hop limit exceeded',
    hex: '02000000000a02000000000b86dd600465ce00703a40fd090000000000000000000000000002fd09000000000000000000000000000103007295000000006002f5df00403a01fd090000000000000000000000000001fd0700000000000000000000000000018000139379610001baa0026b00000000739d090000000000101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637',
    says: { body: { proto: 'icmp6', type: 'time-exceeded', code: 'transit', about: { ttl: 1, dst: ip('fd07::1') } } },
  },
  {
    what: 'a SYN',
    hex: '02000000000b02000000000a08004500003ce3704000400643370a0900010a090002a0d800505f97731900000000a002faf001f90000020405b40402080a1178b1ad000000000103030a',
    says: {
      body: {
        dport: 80,
        flags: FLAG.SYN,
        window: 64240,
        options: { mss: 1460, sackPermitted: true, windowScale: 10, sack: [] },
      },
    },
  },
  {
    what: 'a SYN-ACK',
    hex: '02000000000a02000000000b08004500003c00004000400626a80a0900020a0900010050a0d8d36e84d45f97731aa012fe88adf30000020405b40402080a5e5699c21178b1ad0103030a',
    says: {
      body: {
        sport: 80,
        flags: FLAG.SYN | FLAG.ACK,
        window: 65160,
        options: { mss: 1460, sackPermitted: true, windowScale: 10 },
      },
    },
  },
  {
    what: 'a segment with data',
    hex: '02000000000b02000000000a080045000038e3724000400643390a0900010a090002a0d800505f97731ad36e84d58018003f0a5300000101080a1178b1ad5e5699c2636e6d3f',
    says: {
      body: {
        flags: FLAG.PSH | FLAG.ACK,
        options: { mss: null, sackPermitted: false, windowScale: null },
        payload: text('cnm?'),
      },
    },
  },
  {
    what: 'a FIN',
    hex: '02000000000b02000000000a080045000034e37440004006433b0a0900010a090002a0d800505f97731ed36e84d88011003fdb0400000101080a1178b1ad5e5699c2',
    says: { body: { flags: FLAG.FIN | FLAG.ACK, payload: text('') } },
  },
  {
    what: 'a refusal over IPv6',
    hex: '02000000000a02000000000b86dd6001252200140640fd090000000000000000000000000002fd0900000000000000000000000000010051bc7c00000000294dedd350140000e1cb0000',
    says: {
      body: {
        flags: FLAG.RST | FLAG.ACK,
        window: 0,
        seq: 0,
        options: { mss: null, timestamps: null },
        payload: text(''),
      },
    },
  },
  {
    what: 'the question whether an address is taken',
    hex: '3333ff00000202000000000b86dd6000000000203aff00000000000000000000000000000000ff0200000000000000000001ff00000287003de700000000fd0900000000000000000000000000020e0179b851996658',
    says: {
      src: ip('::'),
      dst: ip('ff02::1:ff00:2'),
      ttl: 255,
      body: { type: 'neighbour-solicitation', target: ip('fd09::2'), options: [{ tag: 'nonce' }] },
    },
  },
  {
    what: 'a neighbour solicitation',
    hex: '3333ff00000202000000000a86dd6000000000203afffd090000000000000000000000000001ff0200000000000000000001ff00000287007d7c00000000fd090000000000000000000000000002010102000000000a',
    says: { src: ip('fd09::1'), ttl: 255, body: { target: ip('fd09::2'), options: [{ tag: 'source', mac: A }] } },
  },
  {
    what: 'a neighbour advertisement',
    hex: '02000000000a02000000000b86dd6000000000203afffd090000000000000000000000000002fd09000000000000000000000000000188001c7660000000fd090000000000000000000000000002020102000000000b',
    says: {
      body: {
        type: 'neighbour-advertisement',
        router: false,
        solicited: true,
        override: true,
        options: [{ tag: 'target', mac: B }],
      },
    },
  },
  {
    what: 'an advertisement of a router',
    hex: '02000000000a02000000000b86dd6000000000203afffd090000000000000000000000000002fd09000000000000000000000000000188009c75e0000000fd090000000000000000000000000002020102000000000b',
    says: { body: { type: 'neighbour-advertisement', router: true, solicited: true, override: true } },
  },
  {
    what: 'a router solicitation',
    hex: '33330000000202000000000b86dd6000000000103afffe80000000000000000000fffe00000bff02000000000000000000000000000285007b1800000000010102000000000b',
    says: { dst: ip('ff02::2'), body: { type: 'router-solicitation', options: [{ tag: 'source', mac: B }] } },
  },
  {
    what: 'a report of multicast listeners',
    hex: '33330000001602000000000b86dd600000000038000100000000000000000000000000000000ff0200000000000000000000000000163a000502000001008f006d630000000204000000ff0200000000000000000001ff00000b04000000ff0200000000000000000001ff000002',
    says: {
      src: ip('::'),
      dst: ip('ff02::16'),
      ttl: 1,
      routerAlert: true,
      body: {
        type: 'mld2-report',
        records: [
          { kind: 'to-exclude', group: ip('ff02::1:ff00:b'), sources: [] },
          { kind: 'to-exclude', group: ip('ff02::1:ff00:2') },
        ],
      },
    },
  },
  {
    what: "a report of a group's member",
    hex: '01005e00001602000000000a080046c00028000040000102f9ef0a090001e0000016940400002200e8f90000000104000000ef010203',
    says: {
      dst: ip('224.0.0.22'),
      ttl: 1,
      tos: 0xc0,
      routerAlert: true,
      body: { proto: 'igmp', records: [{ kind: 'to-exclude', group: ip('239.1.2.3'), sources: [] }] },
    },
  },
  {
    what: 'VXLAN without a checksum',
    hex: '02000000000b02000000000a08004500007ebbd600004011aa840a0900010a090002d06912b5006a00000800000000002a003333000000168a445a641f5886dd600000000024000100000000000000000000000000000000ff0200000000000000000000000000163a000502000001008f004fce0000000104000000ff0200000000000000000001ff641f58',
    says: {
      body: {
        dport: 4789,
        checked: false,
        payload: { vni: 42, frame: { payload: { body: { type: 'mld2-report' } } } },
      },
    },
  },
  {
    what: 'an error about VXLAN',
    hex: '02000000000a02000000000b080045c0009a741a00004001f1740a0900020a0900010303897a000000004500007ebbd900004011aa810a0900010a090002d06912b5006a00000800000000002a003333000000168a445a641f5886dd600000000024000100000000000000000000000000000000ff0200000000000000000000000000163a000502000001008f004fce0000000104000000ff0200000000000000000001ff641f58',
    says: { body: { code: 'port', missing: 0, about: { body: { payload: { vni: 42 } } } } },
  },
  {
    what: 'VXLAN over IPv4',
    hex: '02000000000b02000000000a08004500004e0e7e00004011580d0a0900010a090002c9e212b5003a17f20800000000002a00ffffffffffffd22345b7358108060001080006040001d22345b735810a0a00010000000000000a0a0002',
    says: {
      tag: 'ip4',
      body: {
        dport: 4789,
        checked: true,
        payload: { tag: 'vxlan', vni: 42, frame: { payload: { tag: 'arp', target: ip('10.10.0.2') } } },
      },
    },
  },
  {
    what: 'VXLAN over IPv6',
    hex: '02000000000b02000000000a86dd60000000003a1140fd090000000000000000000000000001fd090000000000000000000000000002c9e212b5003a9c630800000000002b00ffffffffffffaa37c97e23eb08060001080006040001aa37c97e23eb0a0b00010000000000000a0b0002',
    says: {
      tag: 'ip6',
      body: {
        dport: 4789,
        checked: true,
        payload: { tag: 'vxlan', vni: 43, frame: { payload: { tag: 'arp', target: ip('10.11.0.2') } } },
      },
    },
  },
]
