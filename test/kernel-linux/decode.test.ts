import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { keyOf, type NftElement, type NftTable } from '../../src/kernel/object.ts'
import { FORWARD4, type SysctlName } from '../../src/kernel/sysctl.ts'
import { decodeCounters } from '../../src/kernel-linux/decode/counters.ts'
import { documents } from '../../src/kernel-linux/decode/json.ts'
import { decodeLinks } from '../../src/kernel-linux/decode/links.ts'
import { decodeNsids } from '../../src/kernel-linux/decode/nsids.ts'
import { decodeRoutes } from '../../src/kernel-linux/decode/routes.ts'
import { decodeSysctls } from '../../src/kernel-linux/decode/sysctls.ts'
import { readListing } from '../../src/kernel-linux/nft/listing.ts'
import { showCidr } from '../../src/net/cidr.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { rightOf } from './labs.ts'

const recorded = (name: string): string => readFileSync(new URL(`recorded/${name}`, import.meta.url), 'utf8')
const hostLinks = decodeLinks(JSON.parse(recorded('host-addresses.json')))
const host = new Map(hostLinks.map((link) => [String(link.name), link]))

describe('devices, from `ip -j -d address show`', () => {
  test('a bridge has its MAC, MTU, state and alias', () => {
    expect(host.get('br0')).toMatchObject({
      spec: { type: 'bridge' },
      to: null,
      mac: mac(0x02_42_00_00_00_01),
      mtu: 1500,
      up: true,
      alias: 'cnm:front',
      port: null,
    })
  })

  test('a veth into another namespace knows its other end by index and number', () => {
    expect(host.get('v1')).toMatchObject({ spec: { type: 'veth' }, to: { index: 2, nsid: 0 } })
  })

  test('a veth within its namespace knows its other end by name, read as its index', () => {
    expect(host.get('near0')).toMatchObject({
      spec: { type: 'veth' },
      to: { index: host.get('near1')?.index, nsid: null },
    })
  })

  test('a bridge port has its flags', () => {
    expect(host.get('v1')?.port).toEqual({ bridge: 'br0', isolated: true, hairpin: true })
  })

  test('a device on another says which, and how', () => {
    const base = { flags: ['UP'], mtu: 1500, address: '02:00:00:00:00:01', addr_info: [] }
    const kind = (info_kind: string, info_data: object) => ({ linkinfo: { info_kind, info_data } })
    const found = decodeLinks([
      { ...base, ifindex: 3, ifname: 'd0', ...kind('dummy', {}) },
      { ...base, ifindex: 4, ifname: 'd0.10', link: 'd0', ...kind('vlan', { protocol: '802.1Q', id: 10 }) },
      { ...base, ifindex: 5, ifname: 'm0', link_index: 7, link_netnsid: 2, ...kind('macvlan', { mode: 'vepa' }) },
      { ...base, ifindex: 6, ifname: 'i0', link: 'd0', ...kind('ipvlan', { mode: 'l3s', flags: 'private' }) },
      { ...base, ifindex: 8, ifname: 'q0', link: 'd0', ...kind('vlan', { protocol: '802.1ad', id: 10 }) },
    ])
    expect(found.map(({ name, spec, to }) => [name, spec, to])).toEqual([
      ['d0', { type: 'dummy' }, null],
      ['d0.10', { type: 'vlan', id: 10 }, { index: 3, nsid: null }],
      ['m0', { type: 'macvlan', mode: 'vepa' }, { index: 7, nsid: 2 }],
      ['i0', { type: 'ipvlan', mode: 'l3s', flag: 'private' }, { index: 3, nsid: null }],
    ])
  })

  test('a device of a kind that is not modelled is not there', () => {
    expect([...host.keys()].sort()).toEqual(['br0', 'lo', 'near0', 'near1', 'v1'])
  })

  test('addresses of both families are there', () => {
    expect(host.get('br0')?.addresses.map(showCidr)).toEqual([
      '172.18.0.1/16',
      'fd00:18::1/64',
      'fe80::42:ff:fe00:1/64',
    ])
  })

  test('what is not a list of devices holds none', () => {
    for (const json of [null, 7, 'x', {}, [null], [{ ifname: 'a b' }]]) expect(decodeLinks(json)).toEqual([])
  })
})

describe('routes, from `ip -j -d route show table all`', () => {
  const WEB = ns('web')
  const routes = decodeRoutes(WEB, documents(recorded('web-dump.jsonl'))[1])

  test('are those of the main table that somebody asked for', () => {
    expect(routes.map(keyOf)).toEqual([
      'web/route/4/0.0.0.0/0/0',
      'web/route/4/10.1.0.0/16/7',
      'web/route/4/10.2.0.1/32/0',
      'web/route/6/fd01::/64/9',
      'web/route/6/::/0/0',
      'web/route/6/::/0/2048',
    ])
  })

  test('IPv6 gives a route without a metric 1024, which reads as 0', () => {
    expect(routes.find((route) => keyOf(route) === 'web/route/6/::/0/0')?.via).not.toBeNull()
  })

  test('a default route without a gateway keeps its family', () => {
    expect(routes.find((route) => route.metric === 2048)).toMatchObject({ via: null, dev: 'eth0' })
  })
})

describe('the firewall, from `nft -j list table inet cnm`', () => {
  const table = JSON.parse(recorded('table.json'))
  const listed = async (json: string) => rightOf(await readListing(HOST, json))
  const show = (object: NftTable | NftElement): string =>
    object.kind === 'nft-table'
      ? `skeleton ${object.skeleton}`
      : [object.set, object.key.join(' . '), ...(object.value === null ? [] : [object.value.join(' . ')])].join(': ')

  test('has the version of its skeleton and every element', async () => {
    expect((await listed(recorded('table.json'))).map(show).sort()).toEqual(
      [
        'skeleton 1',
        'bridges: br0',
        'within: br0 . br0',
        'subnet4: br0 . 172.18.0.0/16',
        'subnet4: br0 . 172.19.0.5',
        'subnet6: br0 . fd00:18::/64',
        'masquerade4: 172.18.0.0/16',
        'masquerade4: 172.19.0.0/16',
        'masquerade6: fd00:18::/64',
        'publish4_any: tcp . 8080: 172.18.0.2 . 80',
        'publish4_any: sctp . 8080: 172.18.0.2 . 80',
        'publish4: 192.0.2.1 . udp . 53: 172.18.0.2 . 53',
        'publish6: 2001:db8:0:0:1:: . tcp . 443: fd00:18::2 . 443',
      ].sort(),
    )
  })

  test('a table of our name without a skeleton of ours has version 0', async () => {
    const chains = (table.nftables as ReadonlyArray<object>).filter((object) => !('chain' in object))
    expect((await listed(JSON.stringify({ nftables: chains })))[0]).toEqual({
      kind: 'nft-table',
      ns: HOST,
      skeleton: 0,
    })
  })

  test('no table, no objects', async () => {
    expect(await listed('{"nftables": [{"metainfo": {}}]}')).toEqual([])
    expect(await listed('null')).toEqual([])
  })
})

describe('numbers of namespaces, from `ip -j netns list-id`', () => {
  test('are those with a name', () => {
    expect(decodeNsids(JSON.parse(recorded('host-nsids.json')))).toEqual(new Map([[0, 'cnm-rec-web']]))
    expect(decodeNsids([{ nsid: 3 }])).toEqual(new Map())
  })
})

describe('sysctls, from `sysctl -e`', () => {
  // Spelled as sysctl.ts would, for a key that it has no maker for.
  const range = 'net.ipv4.ip_local_port_range' as SysctlName
  const absent = 'net.ipv4.conf.nodev.forwarding' as SysctlName

  test('are those that exist, their blanks made single', () => {
    const values = decodeSysctls(HOST, [FORWARD4, range, absent], recorded('sysctls.txt')).map((one) => one.value)
    expect(values).toEqual(['0', '32000 61000'])
  })
})

describe('counters, from `ip -j -s link show`', () => {
  const rx = { bytes: 154, packets: 3, errors: 1, dropped: 2, over_errors: 9, multicast: 9 }
  const tx = { bytes: 2 ** 60, packets: 5, errors: 6, dropped: 7, carrier_errors: 9, collisions: 9 }

  test('each has its own place, and devices come in order of their names', () => {
    const none = { rx: { ...rx, bytes: 0 }, tx }
    expect(
      decodeCounters([
        { ifname: 'eth1', stats64: none },
        { ifname: 'eth0', stats64: { rx, tx } },
      ]),
    ).toMatchObject([
      {
        dev: 'eth0',
        rx: { packets: 3, bytes: 154, errors: 1, dropped: 2 },
        tx: { packets: 5, bytes: 2 ** 60, errors: 6, dropped: 7 },
      },
      { dev: 'eth1', rx: { bytes: 0 } },
    ])
  })

  test('a device whose name is none for us is left out, and an answer of another shape is empty', () => {
    expect(decodeCounters([{ ifname: 'a b', stats64: { rx, tx } }, 'x', null])).toEqual([])
    expect(decodeCounters(undefined)).toEqual([])
  })
})
