// Addresses, routes, rules, neighbours and forwarding entries made through netlink are what iproute2 shows, and the other way.

import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  addAddress,
  cidrOf,
  decodeAddress,
  deleteAddress,
  dumpAddresses,
} from '../../../src/kernel-linux/netlink/codec/address.ts'
import { changeLink, createLink } from '../../../src/kernel-linux/netlink/codec/link.ts'
import {
  addFdb,
  addNeighbour,
  appendFdb,
  decodeNeigh,
  deleteFdb,
  deleteNeighbour,
  dumpFdb,
  dumpNeighbours,
  replaceNeighbour,
} from '../../../src/kernel-linux/netlink/codec/neigh.ts'
import { decodeNsid, dumpNsids, getNsid, setNsid } from '../../../src/kernel-linux/netlink/codec/nsid.ts'
import {
  addRoute,
  decodeRoute,
  deleteRoute,
  destinationOf,
  dumpRoutes,
  type RouteFilter,
  replaceRoute,
  tableOf,
} from '../../../src/kernel-linux/netlink/codec/route.ts'
import { addRule, decodeRule, deleteRule, dumpRules } from '../../../src/kernel-linux/netlink/codec/rule.ts'
import { ask, dump } from '../../../src/kernel-linux/netlink/conversation.ts'
import { AF_INET, AF_INET6 } from '../../../src/kernel-linux/netlink/uapi/netlink.ts'
import * as R from '../../../src/kernel-linux/netlink/uapi/route.ts'
import { cidr, DEFAULT4, DEFAULT6, showCidr } from '../../../src/net/cidr.ts'
import { ip, showIp } from '../../../src/net/ip.ts'
import { mac, showMac, ZERO_MAC } from '../../../src/net/mac.ts'
import { needs } from '../../lib/need.ts'
import { rightOf } from '../labs.ts'
import { type Json, type Space, space } from './lab.ts'

const DEV = 100
const PEER = 101
const BRIDGE = 102
const VXLAN = 103

const list = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])

needs.kernel('addresses, routes, rules and neighbours', () => {
  let here: Space
  let other: Space
  beforeAll(async () => {
    here = space('addresses')
    other = space('addresses-other')
    await here.does(
      changeLink({ index: 1, up: true }),
      createLink({
        name: 'd0',
        index: DEV,
        up: true,
        linkinfo: { info: { kind: 'veth', peer: { name: 'd1', index: PEER } } },
      }),
      changeLink({ index: PEER, up: true }),
      createLink({ name: 'br0', index: BRIDGE, up: true, linkinfo: { info: { kind: 'bridge', options: {} } } }),
      createLink({
        name: 'vx0',
        index: VXLAN,
        up: true,
        linkinfo: { info: { kind: 'vxlan', options: { id: 7, port: 4789 } } },
      }),
    )
  })
  afterAll(async () => {
    await here.close()
    await other.close()
  })

  const addresses = async () => rightOf(await dump(here.socket, dumpAddresses(), decodeAddress)())
  const routes = async (filter: RouteFilter) => rightOf(await dump(here.socket, dumpRoutes(filter), decodeRoute)())

  test('addresses of both families, with their flags', async () => {
    await here.does(
      addAddress({ index: DEV, cidr: cidr('10.9.0.1/24') }),
      addAddress({ index: DEV, cidr: cidr('10.9.0.2/24') }),
      addAddress({ index: DEV, cidr: cidr('fd00:9::1/64'), flags: R.IFA_F_NODAD }),
    )
    const shown = list(here.ip('address', 'show', 'dev', 'd0')[0]?.['addr_info'])
    expect(shown).toMatchObject([
      { local: '10.9.0.1', prefixlen: 24, scope: 'global' },
      { local: '10.9.0.2', prefixlen: 24, secondary: true },
      { local: 'fd00:9::1', prefixlen: 64, nodad: true },
      { scope: 'link' },
    ])
  })

  test('a dump of addresses says what `ip address` says', async () => {
    const shown = here
      .ip('address', 'show')
      .flatMap((link) => list(link['addr_info']).map((one) => `${link['ifindex']} ${one['local']}/${one['prefixlen']}`))
    const found = (await addresses()).map((one) => {
      const address = cidrOf(one)
      return `${one.index} ${address === null ? 'none' : showCidr(address)}`
    })
    expect([...found].sort()).toEqual([...shown].sort())
  })

  test('a dump of one link has its addresses only', async () => {
    const found = rightOf(await dump(here.socket, dumpAddresses({ index: 1 }), decodeAddress)())
    expect(found.map((one) => one.index)).toEqual([1, 1])
  })

  test('an address is taken', async () => {
    await here.does(deleteAddress({ index: DEV, cidr: cidr('10.9.0.2/24') }))
    expect((await addresses()).map((one) => one.local)).not.toContain(ip('10.9.0.2'))
  })

  test('routes of every sort', async () => {
    await here.does(
      addRoute({ to: DEFAULT4, via: ip('10.9.0.254'), oif: DEV, protocol: 157 }),
      addRoute({ to: cidr('10.20.0.0/16'), oif: DEV, metric: 50, protocol: 157 }),
      addRoute({ to: cidr('10.21.0.0/16'), via: ip('192.0.2.1'), oif: DEV, onlink: true }),
      addRoute({ to: cidr('10.22.0.0/16'), via: ip('fd00:9::5'), oif: DEV }),
      addRoute({ to: cidr('10.23.0.0/16'), type: R.RTN_BLACKHOLE }),
      addRoute({ to: cidr('10.24.0.0/16'), oif: DEV, table: 4096, prefSrc: ip('10.9.0.1'), mtu: 1280 }),
      addRoute({
        to: cidr('10.25.0.0/16'),
        hops: [
          { index: DEV, flags: 0, weight: 1, gateway: ip('10.9.0.10') },
          { index: DEV, flags: 0, weight: 3, gateway: ip('10.9.0.11') },
        ],
      }),
      addRoute({ to: DEFAULT6, via: ip('fd00:9::fe'), oif: DEV, protocol: 157 }),
      addRoute({ to: cidr('fd00:20::/64'), oif: DEV, metric: 77 }),
      addRoute({ to: cidr('fd00:21::/64'), type: R.RTN_UNREACHABLE }),
    )
    expect(here.ip('-4', 'route', 'show', 'table', 'all').filter((one) => one['table'] !== 'local')).toMatchObject([
      { dst: '10.24.0.0/16', table: '4096', prefsrc: '10.9.0.1', metrics: [{ mtu: 1280 }] },
      { dst: 'default', gateway: '10.9.0.254', dev: 'd0', protocol: '157', scope: 'global' },
      { dst: '10.9.0.0/24', protocol: 'kernel' },
      { dst: '10.20.0.0/16', dev: 'd0', scope: 'link', metric: 50 },
      { dst: '10.21.0.0/16', gateway: '192.0.2.1', flags: ['onlink'] },
      { dst: '10.22.0.0/16', via: { family: 'inet6', host: 'fd00:9::5' } },
      { dst: '10.23.0.0/16', type: 'blackhole' },
      {
        dst: '10.25.0.0/16',
        nexthops: [
          { gateway: '10.9.0.10', weight: 1 },
          { gateway: '10.9.0.11', weight: 3 },
        ],
      },
    ])
    expect(here.ip('-6', 'route', 'show', 'default')).toMatchObject([{ gateway: 'fd00:9::fe', metric: 1024 }])
    expect(here.ip('-6', 'route', 'show', 'fd00:20::/64')).toMatchObject([{ dev: 'd0', metric: 77 }])
  })

  test('a dump of routes says what `ip route show table all` says', async () => {
    const names = new Map([
      [1, 'lo'],
      [DEV, 'd0'],
      [PEER, 'd1'],
      [BRIDGE, 'br0'],
      [VXLAN, 'vx0'],
    ])
    const tables: Record<string, number> = { local: 255, main: 254 }
    for (const [family, option, width] of [
      [AF_INET, '-4', 32],
      [AF_INET6, '-6', 128],
    ] as const) {
      const shown = here.ip(option, 'route', 'show', 'table', 'all').map((one) => {
        const dst = String(one['dst'])
        const to =
          dst === 'default' ? (family === AF_INET ? '0.0.0.0/0' : '::/0') : dst.includes('/') ? dst : `${dst}/${width}`
        const table = one['table'] === undefined ? 254 : (tables[String(one['table'])] ?? Number(one['table']))
        return [
          to,
          one['gateway'] ?? '',
          one['dev'] ?? '',
          one['metric'] ?? 0,
          table,
          list(one['nexthops']).length,
        ].join(' ')
      })
      const found = (await routes({ family })).map((one) => {
        const gateway = one.gateway === undefined ? '' : showIp(one.gateway)
        const dev = one.oif === undefined ? '' : names.get(one.oif)
        return [
          showCidr(destinationOf(one)),
          gateway,
          dev,
          one.priority ?? 0,
          tableOf(one),
          one.multipath?.length ?? 0,
        ].join(' ')
      })
      expect([...found].sort()).toEqual([...shown].sort())
    }
  })

  test('what routes are made of is read back', async () => {
    const main = await routes({ family: AF_INET })
    const to = (text: string) => main.find((one) => showCidr(destinationOf(one)) === text)
    expect(to('10.22.0.0/16')).toMatchObject({ via: ip('fd00:9::5') })
    expect(to('10.23.0.0/16')).toMatchObject({ type: R.RTN_BLACKHOLE })
    expect(to('10.24.0.0/16')).toMatchObject({ prefSrc: ip('10.9.0.1'), metrics: { mtu: 1280 }, allTable: 4096 })
    expect(to('10.25.0.0/16')?.multipath).toMatchObject([
      { index: DEV, gateway: ip('10.9.0.10'), weight: 1 },
      { index: DEV, gateway: ip('10.9.0.11'), weight: 3 },
    ])
  })

  test('the kernel itself chooses routes by protocol and table', async () => {
    expect((await routes({ protocol: 157 })).map((one) => showCidr(destinationOf(one))).sort()).toEqual([
      '0.0.0.0/0',
      '10.20.0.0/16',
      '::/0',
    ])
    expect((await routes({ table: 4096 })).map((one) => showCidr(destinationOf(one)))).toEqual(['10.24.0.0/16'])
  })

  test('a route is replaced and deleted', async () => {
    await here.does(replaceRoute({ to: cidr('10.20.0.0/16'), via: ip('10.9.0.9'), oif: DEV, metric: 50 }))
    expect(here.ip('route', 'show', '10.20.0.0/16')).toMatchObject([{ gateway: '10.9.0.9', metric: 50 }])
    await here.does(deleteRoute({ to: cidr('10.20.0.0/16'), oif: DEV, metric: 50 }))
    expect(here.ip('route', 'show', '10.20.0.0/16')).toEqual([])
  })

  test('rules of both families', async () => {
    await here.does(
      addRule({ family: AF_INET, priority: 500, from: cidr('10.9.0.0/24'), iifname: 'd0', table: 4096, protocol: 157 }),
      addRule({ family: AF_INET, priority: 501, fwmark: 0x10, fwmask: 0xff, table: 254, suppressPrefixlen: 0 }),
      addRule({ family: AF_INET6, priority: 502, to: cidr('fd00:30::/64'), action: R.FR_ACT_PROHIBIT }),
    )
    expect(here.ip('rule', 'show')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ priority: 500, src: '10.9.0.0', srclen: 24, iif: 'd0', table: '4096' }),
        expect.objectContaining({ priority: 501, fwmark: '0x10', fwmask: '0xff', suppress_prefixlen: 0 }),
      ]),
    )
    const four = rightOf(await dump(here.socket, dumpRules(AF_INET), decodeRule)())
    expect(four.map(({ priority }) => priority)).toEqual(
      here.ip('-4', 'rule', 'show').map((one) => one['priority'] || undefined),
    )
    expect(four.find(({ priority }) => priority === 500)).toMatchObject({
      src: ip('10.9.0.0'),
      srcBits: 24,
      iifname: 'd0',
      allTable: 4096,
      protocol: 157,
    })
    const six = rightOf(await dump(here.socket, dumpRules(AF_INET6), decodeRule)())
    expect(six.find(({ priority }) => priority === 502)).toMatchObject({
      dst: ip('fd00:30::'),
      dstBits: 64,
      action: R.FR_ACT_PROHIBIT,
    })
    await here.does(
      deleteRule({ family: AF_INET, priority: 500, table: 4096 }),
      deleteRule({ family: AF_INET, priority: 501, table: 254 }),
      deleteRule({ family: AF_INET6, priority: 502, action: R.FR_ACT_PROHIBIT }),
    )
    expect(here.ip('rule', 'show').map((one) => one['priority'])).toEqual([0, 32766, 32767])
  })

  test('neighbours, and an address we answer for', async () => {
    const ten = { index: DEV, ip: ip('10.9.0.77'), mac: mac(0x02_42_00_00_00_4d) }
    await here.does(
      addNeighbour(ten),
      addNeighbour({ index: DEV, ip: ip('fd00:9::4d'), mac: mac(0x02_42_00_00_00_4e), state: R.NUD_REACHABLE }),
      addNeighbour({ index: DEV, ip: ip('10.9.0.78'), proxy: true }),
    )
    expect(
      here.ip('neigh', 'show', 'nud', 'all', 'dev', 'd0').filter((one) => String(one['lladdr']).startsWith('02:42')),
    ).toMatchObject([
      { dst: '10.9.0.77', lladdr: '02:42:00:00:00:4d', state: ['PERMANENT'] },
      { dst: 'fd00:9::4d', lladdr: '02:42:00:00:00:4e', state: ['REACHABLE'] },
    ])
    expect(here.ip('neigh', 'show', 'proxy')).toMatchObject([{ dst: '10.9.0.78', dev: 'd0' }])
    const of = async () => rightOf(await dump(here.socket, dumpNeighbours({ index: DEV }), decodeNeigh)())
    expect((await of()).find((one) => one.dst === ten.ip)).toMatchObject({
      mac: ten.mac,
      state: R.NUD_PERMANENT,
      index: DEV,
    })
    await here.does(replaceNeighbour({ ...ten, mac: mac(5) }))
    expect((await of()).find((one) => one.dst === ten.ip)?.mac).toBe(5)
    await here.does(deleteNeighbour(ten), deleteNeighbour({ index: DEV, ip: ip('10.9.0.78'), proxy: true }))
    expect((await of()).map((one) => one.dst)).not.toContain(ten.ip)
    expect(here.ip('neigh', 'show', 'proxy')).toEqual([])
  })

  test("forwarding entries of a bridge's port, of the bridge, and of a VXLAN with several destinations", async () => {
    await here.does(changeLink({ index: PEER, master: BRIDGE }))
    const guest = mac(0x02_42_00_00_00_99)
    const flood = { index: VXLAN, mac: ZERO_MAC, of: 'self' } as const
    await here.does(
      addFdb({ index: PEER, mac: guest, of: 'master', state: R.NUD_NOARP }),
      addFdb({ index: BRIDGE, mac: mac(0x02_42_00_00_00_98), of: 'self' }),
      addFdb({ index: VXLAN, mac: guest, of: 'self', dst: ip('192.0.2.9'), port: 4790, vni: 8, via: DEV }),
      appendFdb({ ...flood, dst: ip('192.0.2.1') }),
      appendFdb({ ...flood, dst: ip('192.0.2.2') }),
    )
    const shown = here.bridge('fdb', 'show')
    expect(shown).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ mac: '02:42:00:00:00:99', ifname: 'd1', state: 'static', master: 'br0' }),
        expect.objectContaining({ mac: '02:42:00:00:00:98', ifname: 'br0', state: 'permanent' }),
        expect.objectContaining({
          mac: '02:42:00:00:00:99',
          ifname: 'vx0',
          dst: '192.0.2.9',
          port: 4790,
          vni: 8,
          viaIf: 'd0',
        }),
        expect.objectContaining({ mac: '00:00:00:00:00:00', dst: '192.0.2.1' }),
        expect.objectContaining({ mac: '00:00:00:00:00:00', dst: '192.0.2.2' }),
      ]),
    )
    const found = rightOf(await dump(here.socket, dumpFdb(), decodeNeigh)())
    expect(
      found
        .map(
          (one) => `${one.mac === undefined ? '' : showMac(one.mac)} ${one.dst === undefined ? '' : showIp(one.dst)}`,
        )
        .sort(),
    ).toEqual(shown.map((one) => `${one['mac']} ${one['dst'] ?? ''}`).sort())
    expect(found.find((one) => one.port === 4790)).toMatchObject({
      vni: 8,
      via: DEV,
      dst: ip('192.0.2.9'),
      flags: R.NTF_SELF,
    })
    expect(found.find((one) => one.index === PEER && one.mac === guest)).toMatchObject({
      master: BRIDGE,
      state: R.NUD_NOARP,
    })
    const ofVxlan = rightOf(await dump(here.socket, dumpFdb({ index: VXLAN }), decodeNeigh)())
    expect(ofVxlan.every((one) => one.index === VXLAN)).toBe(true)
    await here.does(deleteFdb({ index: PEER, mac: guest, of: 'master' }), deleteFdb({ ...flood, dst: ip('192.0.2.1') }))
    const left = here.bridge('fdb', 'show').map((one) => `${one['mac']} ${one['dst'] ?? one['ifname']}`)
    expect(left).not.toContain('02:42:00:00:00:99 d1')
    expect(left).not.toContain('00:00:00:00:00:00 192.0.2.1')
    expect(left).toContain('00:00:00:00:00:00 192.0.2.2')
  })

  test('a namespace gets a number, by which it is then known', async () => {
    const fd = here.fdOf(other)
    expect(rightOf(await ask(here.socket, getNsid({ fd }), decodeNsid)()).nsid).toBe(-1)
    await here.does(setNsid({ fd }, 12))
    expect(rightOf(await ask(here.socket, getNsid({ fd }), decodeNsid)()).nsid).toBe(12)
    expect(rightOf(await dump(here.socket, dumpNsids(), decodeNsid)())).toEqual([{ nsid: 12 }])
    expect(here.ip('netns', 'list-id')).toEqual([{ nsid: 12, name: other.name }])
  })
})
