// For kinds that many kernels lack: our messages say what those of iproute2 6.1 say, recorded with strace(1). No kernel needed.

import { expect, test } from 'vitest'
import { addVlans, decodeBridgePort, deleteVlans } from '../../../src/kernel-linux/netlink/codec/bridge-port.ts'
import { createLink, decodeLink } from '../../../src/kernel-linux/netlink/codec/link.ts'
import type { Request } from '../../../src/kernel-linux/netlink/message.ts'
import * as L from '../../../src/kernel-linux/netlink/uapi/if-link.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const NEW = { type: 0x10, flags: 0x600 }
const SET = { type: 0x13, flags: 0 }
const DEL = { type: 0x11, flags: 0 }

type Recorded = Readonly<{
  command: string
  said: Readonly<{ type: number; flags: number }>
  body: string
  ours: Request
}>

const LINKS: ReadonlyArray<Recorded> = [
  {
    command: 'ip link add name zdum type dummy',
    said: NEW,
    body: '00000000000000000000000000000000090003007a64756d00000000100012000900010064756d6d79000000',
    ours: createLink({ name: 'zdum', linkinfo: { info: { kind: 'dummy' } } }),
  },
  {
    command: 'ip link add link zbr name zbr.77 type vlan protocol 802.1ad id 77',
    said: NEW,
    body: '0000000000000000000000000000000008000500020000000b0003007a62722e373700002000120008000100766c616e140002000600050088a80000060001004d000000',
    ours: createLink({
      name: 'zbr.77',
      link: 2,
      linkinfo: { info: { kind: 'vlan', options: { id: 77, protocol: 0x88a8 } } },
    }),
  },
  {
    command: 'ip link add link zbr name ziv type ipvlan mode l3s private',
    said: NEW,
    body: '000000000000000000000000000000000800050002000000080003007a697600240012000a0001006970766c616e00001400020006000100020000000600020001000000',
    ours: createLink({
      name: 'ziv',
      link: 2,
      linkinfo: { info: { kind: 'ipvlan', options: { mode: L.IPVLAN_MODE_L3S, flags: L.IPVLAN_F_PRIVATE } } },
    }),
  },
  {
    command: 'ip link add name zbr2 type bridge vlan_filtering 1 vlan_default_pvid 5',
    said: NEW,
    body: '00000000000000000000000000000000090003007a62723200000000240012000a00010062726964676500001400020005000700010000000600270005000000',
    ours: createLink({
      name: 'zbr2',
      linkinfo: { info: { kind: 'bridge', options: { vlanFiltering: true, vlanDefaultPvid: 5 } } },
    }),
  },
]

const VLANS: ReadonlyArray<Recorded> = [
  {
    command: 'bridge vlan add dev zv vid 30 pvid untagged',
    said: SET,
    body: '070000000400000000000000000000000c001a000800020006001e00',
    ours: addVlans({
      index: 4,
      self: false,
      vlans: [{ vid: 30, flags: L.BRIDGE_VLAN_INFO_PVID | L.BRIDGE_VLAN_INFO_UNTAGGED }],
    }),
  },
  {
    command: 'bridge vlan add dev zbr vid 100-103 self',
    said: SET,
    body: '070000000200000000000000000000001c001a00060000000200000008000200080064000800020010006700',
    ours: addVlans({
      index: 2,
      self: true,
      vlans: [
        { vid: 100, flags: L.BRIDGE_VLAN_INFO_RANGE_BEGIN },
        { vid: 103, flags: L.BRIDGE_VLAN_INFO_RANGE_END },
      ],
    }),
  },
  {
    command: 'bridge vlan del dev zv vid 1',
    said: DEL,
    body: '070000000400000000000000000000000c001a000800020000000100',
    ours: deleteVlans({ index: 4, self: false, vlans: [{ vid: 1, flags: 0 }] }),
  },
]

const sent = ({ type, flags }: Request) => ({ type, flags })

test.each(LINKS)('$command', ({ said, body, ours }) => {
  expect(sent(ours)).toEqual(said)
  const recorded = decodeLink(bytes(body))
  expect(recorded?.linkinfo?.info).toBeDefined()
  expect(decodeLink(ours.body)).toEqual(recorded)
})

test.each(VLANS)('$command', ({ said, body, ours }) => {
  expect(sent(ours)).toEqual(said)
  const recorded = decodeBridgePort(bytes(body))
  expect(recorded?.spec?.vlans).not.toEqual([])
  expect(decodeBridgePort(ours.body)).toEqual(recorded)
})
