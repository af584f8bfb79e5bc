// A second witness of a stack: what `ip -j -d` and `bridge -j -d` print of it, as far as they do. They say less than the kernel
// tells (no neighbours without ARP, numbers only as names of theirs), so facts are cut down to what both say.

import type { Stack } from '../../../src/kernel/rtnl/stack.ts'
import { isIp4, showIp } from '../../../src/net/ip.ts'
import { showMac } from '../../../src/net/mac.ts'
import { type Json, json, run } from '../netlink/lab.ts'

const asList = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value : [])
const asJson = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {})
const orNull = (value: unknown): unknown => value ?? null
const flagsOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** In an order that is nobody's own. */
const sorted = (all: ReadonlyArray<object>): ReadonlyArray<string> => all.map((one) => JSON.stringify(one)).sort()

const linksPrinted = (links: ReadonlyArray<Json>) =>
  links.map((link) => ({
    index: link['ifindex'],
    name: link['ifname'],
    kind: asJson(link['linkinfo'])['info_kind'] ?? 'loopback',
    mac: link['address'],
    mtu: link['mtu'],
    up: flagsOf(link['flags']).includes('UP'),
    carrier: flagsOf(link['flags']).includes('LOWER_UP'),
    operstate: String(link['operstate']).toLowerCase(),
    promiscuity: link['promiscuity'],
    master: orNull(link['master']),
    alias: orNull(link['ifalias']),
    txqlen: link['txqlen'] ?? 0,
    port: portPrinted(asJson(link['linkinfo'])),
  }))

const PORT_STATES = ['disabled', 'listening', 'learning', 'forwarding', 'blocking']
const portPrinted = (info: Json) => {
  if (info['info_slave_kind'] !== 'bridge') return null
  const data = asJson(info['info_slave_data'])
  return [
    PORT_STATES.indexOf(String(data['state'])),
    ...['priority', 'cost', 'hairpin', 'guard', 'root_block', 'fastleave', 'learning', 'flood'].map((key) => data[key]),
    ...['mcast_flood', 'bcast_flood', 'neigh_suppress', 'isolated', 'locked'].map((key) => data[key]),
  ]
}

const linksTold = ({ links }: Stack) =>
  links.map(({ index, name, kind, mac, mtu, up, carrier, operstate, promiscuity, master, alias, txqlen, port }) => ({
    index,
    name,
    kind: kind.kind,
    mac: showMac(mac),
    mtu,
    up,
    carrier,
    operstate,
    promiscuity,
    master,
    alias,
    txqlen,
    port: port && [
      port.state,
      port.priority,
      port.cost,
      port.hairpin,
      port.guard,
      port.rootBlock,
      port.fastLeave,
      port.learning,
      port.flood,
      port.mcastFlood,
      port.bcastFlood,
      port.neighSuppress,
      port.isolated,
      port.locked,
    ],
  }))

/** ip(8) prints `address` beside `local` where there is a peer. */
const addressesPrinted = (links: ReadonlyArray<Json>) =>
  links.flatMap((link) =>
    asList(link['addr_info']).map((address) => ({
      dev: link['ifname'],
      ip: address['local'],
      bits: address['prefixlen'],
      peer: orNull(address['address']),
      broadcast: orNull(address['broadcast']),
      label: orNull(address['label']),
      metric: orNull(address['metric']),
      secondary: address['secondary'] === true,
      noprefixroute: address['noprefixroute'] === true,
      tentative: address['tentative'] === true,
    })),
  )
const addressesTold = ({ addresses }: Stack) =>
  addresses.map(({ dev, cidr, peer, broadcast, label, metric, flags }) => ({
    dev,
    ip: showIp(cidr.ip),
    bits: cidr.bits,
    peer: peer === null ? null : showIp(peer),
    broadcast: broadcast === null ? null : showIp(broadcast),
    label,
    metric,
    secondary: flags.includes('secondary'),
    noprefixroute: flags.includes('noprefixroute'),
    tentative: flags.includes('tentative'),
  }))

const hopPrinted = (hop: Json) => ({
  via: orNull(hop['gateway'] ?? asJson(hop['via'])['host']),
  dev: orNull(hop['dev']),
  weight: hop['weight'] ?? 1,
  flags: flagsOf(hop['flags']),
})
const routesPrinted = (routes: ReadonlyArray<Json>) =>
  routes.map((route) => ({
    to: route['dst'],
    type: route['type'],
    hops:
      route['nexthops'] === undefined
        ? [hopPrinted(route)].filter(({ via, dev }) => via !== null || dev !== null)
        : asList(route['nexthops']).map(hopPrinted),
    metric: route['metric'] ?? 0,
    src: orNull(route['prefsrc']),
    mtu: orNull(asList(route['metrics'])[0]?.['mtu']),
  }))
const routesTold = ({ routes }: Stack, four: boolean) =>
  routes
    .filter(({ to }) => isIp4(to.ip) === four)
    .map(({ to, type, hops, metric, src, mtu }) => ({
      to: to.bits === 0 ? 'default' : to.bits === (four ? 32 : 128) ? showIp(to.ip) : `${showIp(to.ip)}/${to.bits}`,
      type,
      hops: hops.map(({ via, dev, weight, flags }) => ({ via: via === null ? null : showIp(via), dev, weight, flags })),
      metric,
      src: src === null ? null : showIp(src),
      mtu,
    }))

const rulesPrinted = (rules: ReadonlyArray<Json>) =>
  rules.map((rule) => ({
    priority: rule['priority'],
    not: 'not' in rule,
    iif: orNull(rule['iif']),
    oif: orNull(rule['oif']),
  }))
const rulesTold = ({ rules }: Stack, family: 4 | 6) =>
  rules.filter((rule) => rule.family === family).map(({ priority, not, iif, oif }) => ({ priority, not, iif, oif }))

const neighboursPrinted = (neighbours: ReadonlyArray<Json>) =>
  neighbours.map((one) => ({
    dev: one['dev'],
    ip: one['dst'],
    mac: orNull(one['lladdr']),
    state: flagsOf(one['state'])[0] ?? 'NONE',
    proxy: 'proxy' in one,
  }))
const neighboursTold = ({ neighbours }: Stack) =>
  neighbours.map(({ dev, ip, mac, state, proxy }) => ({
    dev,
    ip: showIp(ip),
    mac: mac === null ? null : showMac(mac),
    state,
    proxy,
  }))

const fdbPrinted = (entries: ReadonlyArray<Json>) =>
  entries.map((entry) => ({
    dev: entry['ifname'],
    mac: entry['mac'],
    master: orNull(entry['master']),
    state: orNull(entry['state']) ?? '',
    flags: flagsOf(entry['flags']),
    dst: orNull(entry['dst']),
  }))
const fdbTold = ({ fdb }: Stack) =>
  fdb.map(({ dev, mac, master, state, flags, dst }) => ({
    dev,
    mac: showMac(mac),
    master,
    state,
    flags,
    dst: dst === null ? null : showIp(dst),
  }))

/** What the tools print of a namespace, and what a stack tells of the same, in one form; `real` is its name. */
export const witnesses = (real: string, stack: Stack) => {
  const ip = (...args: ReadonlyArray<string>) => json(run('ip', '-n', real, '-j', '-d', ...args))
  const bridge = (...args: ReadonlyArray<string>) => json(run('bridge', '-n', real, '-j', '-d', ...args))
  const neighbours = [
    ...ip('neigh', 'show', 'nud', 'all'),
    ...ip('neigh', 'show', 'proxy').map((one) => ({ ...one, proxy: null, state: [] })),
  ]
  return {
    printed: {
      links: linksPrinted(ip('link', 'show')),
      addresses: sorted(addressesPrinted(ip('address', 'show'))),
      routes4: sorted(routesPrinted(ip('-4', 'route', 'show', 'table', 'all'))),
      routes6: sorted(routesPrinted(ip('-6', 'route', 'show', 'table', 'all'))),
      rules4: rulesPrinted(ip('-4', 'rule', 'show')),
      rules6: rulesPrinted(ip('-6', 'rule', 'show')),
      neighbours: sorted(neighboursPrinted(neighbours)),
      fdb: sorted(fdbPrinted(bridge('fdb', 'show'))),
    },
    told: {
      links: linksTold(stack),
      addresses: sorted(addressesTold(stack)),
      routes4: sorted(routesTold(stack, true)),
      routes6: sorted(routesTold(stack, false)),
      rules4: rulesTold(stack, 4),
      rules6: rulesTold(stack, 6),
      neighbours: sorted(neighboursTold(stack)),
      fdb: sorted(fdbTold(stack)),
    },
  }
}
