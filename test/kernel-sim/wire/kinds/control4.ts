// Messages of ICMP with every code, and IGMP's report.

import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { EXCEEDED4, PROBLEM4, REDIRECT4, UNREACHABLE4 } from '../../../../src/kernel-sim/wire/icmp4.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { quote4 } from '../../../../src/kernel-sim/wire/quote.ts'
import { mac } from '../../../../src/net/mac.ts'
import { A, four } from '../lib.ts'
import { A4, B4, data, type Kind, over4, tcp, udp } from './kind.ts'

export const CONTROL4: ReadonlyArray<Kind> = [
  ...(['echo-request', 'echo-reply'] as const).map((type) => ({
    what: `ICMP ${type}`,
    frame: over4({ proto: 'icmp', type, id: 77, seq: 3, payload: data(56) }),
    shows: { 'icmp.type': type === 'echo-request' ? '8' : '0', 'icmp.ident': '77', 'icmp.checksum.status': '1' },
  })),
  ...UNREACHABLE4.map((code, n) => ({
    what: `ICMP unreachable: ${code}`,
    frame: over4({
      proto: 'icmp',
      type: 'unreachable',
      code,
      mtu: code === 'fragmentation-needed' ? 1400 : 0,
      ...quote4(packet4(B4, A4, udp(4))),
    }),
    shows: {
      'icmp.type': '3',
      'icmp.code': `${n}`,
      'icmp.mtu': code === 'fragmentation-needed' ? '1400' : '',
      'icmp.checksum.status': '1',
      'ip.src': '10.9.0.1,10.9.0.2',
      'udp.srcport': '5000',
    },
  })),
  ...EXCEEDED4.map((code, n) => ({
    what: `ICMP time exceeded: ${code}`,
    frame: over4({ proto: 'icmp', type: 'time-exceeded', code, ...quote4(packet4(B4, A4, tcp)) }),
    shows: { 'icmp.type': '11', 'icmp.code': `${n}`, 'icmp.checksum.status': '1', 'tcp.dstport': '80' },
  })),
  ...REDIRECT4.map((code, n) => ({
    what: `ICMP redirect: ${code}`,
    frame: over4({
      proto: 'icmp',
      type: 'redirect',
      code,
      gateway: four('10.9.0.254'),
      ...quote4(packet4(B4, A4, udp(4))),
    }),
    shows: { 'icmp.type': '5', 'icmp.code': `${n}`, 'icmp.redir_gw': '10.9.0.254', 'icmp.checksum.status': '1' },
  })),
  ...PROBLEM4.map((code, n) => ({
    what: `ICMP parameter problem: ${code}`,
    frame: over4({ proto: 'icmp', type: 'parameter-problem', code, pointer: 20, ...quote4(packet4(B4, A4, udp(4))) }),
    shows: { 'icmp.type': '12', 'icmp.code': `${n}`, 'icmp.checksum.status': '1' },
  })),
  {
    what: 'ICMP error about a long packet',
    frame: over4({ proto: 'icmp', type: 'unreachable', code: 'port', mtu: 0, ...quote4(packet4(B4, A4, udp(900))) }),
    shows: { 'ip.len': '576,928', 'udp.length': '908', 'icmp.checksum.status': '1' },
  },
  {
    what: 'IGMPv3 report',
    frame: frame(A, mac(0x01005e000016), {
      ...packet4(A4, four('224.0.0.22'), {
        proto: 'igmp',
        type: 'report3',
        records: [
          { kind: 'to-exclude', group: four('239.1.2.3'), sources: [] },
          { kind: 'is-include', group: four('239.1.2.4'), sources: [A4, B4] },
        ],
      }),
      ttl: 1,
      routerAlert: true,
    }),
    shows: {
      'igmp.type': '0x22',
      'igmp.record_type': '4,1',
      'igmp.maddr': '239.1.2.3,239.1.2.4',
      'igmp.checksum.status': '1',
      'ip.opt.ra': '0',
    },
  },
]
