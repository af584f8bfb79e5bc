// A top-level network: its name, driver and pools (Compose Specification, "networks"), with the rules Docker has for a
// pool on its own: no host bits, everything in its subnet, one subnet of each family.

import { type Cidr, cidrFamily, contains, covers, isNetwork, networkOf, parseCidr, showCidr } from '../../net/cidr.ts'
import { type Ip, parseIp, showIp } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import type { At } from '../at.ts'
import type { ProjectIpam, ProjectNetwork, ProjectPool } from '../project.ts'
import type { Report } from '../report.ts'
import { child, type Entry, entriesOf, itemsOf, type Tree } from '../tree.ts'
import { flagOf, parsed, recordOf, wordOf } from './value.ts'

/** Besides extensions. */
const EXTERNAL_MAY_HAVE: ReadonlySet<string> = new Set(['external', 'name'])

const auxOf = (tree: Tree | undefined, path: string, report: Report): Readonly<Record<string, Ip>> =>
  Object.fromEntries(
    entriesOf(tree).flatMap(([name, { value }]) => {
      const ip = parsed(value, `${path}.${name}`, parseIp, report)
      return ip === null ? [] : [[name, ip]]
    }),
  )

const parseIpRange = (text: string): Either<string, Cidr> => {
  const range = parseCidr(text)
  return E.isRight(range) && !isNetwork(range.right)
    ? E.left(`"${text}" has host bits set; did you mean ${showCidr(networkOf(range.right))}?`)
    : range
}

type Inside = Readonly<{ what: string; value: string; ok: boolean; at: At }>

const checkPool = (network: string, subnet: Cidr, pool: ProjectPool, tree: Tree, report: Report): void => {
  const at = (key: string): At => child(tree, key)?.at ?? tree.at
  if (!isNetwork(subnet)) {
    report.errors.push({ tag: 'HostBits', network, subnet, meant: networkOf(subnet), at: at('subnet') })
    return
  }
  const { gateway, ipRange, auxAddresses } = pool
  const inside: Inside[] = Object.entries(auxAddresses).map(([name, ip]) => {
    const place = child(child(tree, 'aux_addresses'), name)?.at ?? at('aux_addresses')
    return { what: `auxiliary address "${name}"`, value: showIp(ip), ok: contains(subnet, ip), at: place }
  })
  if (gateway !== null)
    inside.push({ what: 'gateway', value: showIp(gateway), ok: contains(subnet, gateway), at: at('gateway') })
  if (ipRange !== null)
    inside.push({ what: 'ip_range', value: showCidr(ipRange), ok: covers(subnet, ipRange), at: at('ip_range') })
  for (const { what, value, ok, at: place } of inside)
    if (!ok) report.errors.push({ tag: 'OutsideSubnet', network, what, value, subnet, at: place })
}

const poolOf = (network: string, tree: Tree, path: string, report: Report): ProjectPool => {
  const before = report.errors.length
  const pool: ProjectPool = {
    subnet: parsed(child(tree, 'subnet'), `${path}.subnet`, parseCidr, report),
    gateway: parsed(child(tree, 'gateway'), `${path}.gateway`, parseIp, report),
    ipRange: parsed(child(tree, 'ip_range'), `${path}.ip_range`, parseIpRange, report),
    auxAddresses: auxOf(child(tree, 'aux_addresses'), `${path}.aux_addresses`, report),
    at: child(tree, 'subnet')?.at ?? tree.at,
  }
  if (report.errors.length > before) return pool
  if (pool.subnet !== null) checkPool(network, pool.subnet, pool, tree, report)
  else if (pool.gateway !== null || pool.ipRange !== null || Object.keys(pool.auxAddresses).length > 0)
    report.errors.push({ tag: 'MissingKey', path, key: 'subnet', at: tree.at })
  return pool
}

const ipamOf = (network: string, networkDriver: string, tree: Tree | undefined, report: Report): ProjectIpam => {
  const path = `networks.${network}.ipam`
  const driver = wordOf(child(tree, 'driver')) ?? 'default'
  const options = child(tree, 'options')
  const written = child(tree, 'driver')
  if (written !== undefined && driver !== 'default') {
    const instead = 'leave it out for the default one'
    report.errors.push({ tag: 'NotSupported', what: `the IPAM driver "${driver}"`, instead, at: written.at })
  }
  if (options !== undefined && entriesOf(options).length > 0)
    report.notes.push({ at: options.at, text: `${path}.options are not supported yet; they are left out` })
  const pools = itemsOf(child(tree, 'config'))
    .map((item, i) => poolOf(network, item, `${path}.config[${i}]`, report))
    .filter((pool) => pool.subnet !== null)
  for (const family of networkDriver === 'bridge' ? ([4, 6] as const) : []) {
    const second = pools.filter(({ subnet }) => subnet !== null && cidrFamily(subnet) === family)[1]
    if (second === undefined) continue
    const instead = 'a bridge has one of each family'
    const what = `a second IPv${family} subnet for the network "${network}"`
    report.errors.push({ tag: 'NotSupported', what, instead, at: second.at })
  }
  return { driver, options: recordOf(options), pools }
}

const checkExternal = (key: string, tree: Tree, report: Report): void => {
  for (const [other, { keyAt }] of entriesOf(tree))
    if (!EXTERNAL_MAY_HAVE.has(other) && !other.startsWith('x-')) {
      const reason = `the network is external, so "${other}" cannot be set here`
      report.errors.push({ tag: 'BadValue', path: `networks.${key}`, reason, at: keyAt })
    }
}

/** A network as the file describes it. */
export const networkFrom = (project: string, key: string, { keyAt, value }: Entry, report: Report): ProjectNetwork => {
  const written = child(value, 'external')
  const oldName = wordOf(child(written, 'name'))
  const external = written?.tag === 'mapping' || flagOf(written, false)
  if (external) checkExternal(key, value, report)
  const name = wordOf(child(value, 'name')) ?? oldName ?? (external ? key : `${project}_${key}`)
  const driver = wordOf(child(value, 'driver')) ?? 'bridge'
  return {
    ...plainNetwork(key, name, keyAt),
    external,
    driver,
    driverOpts: recordOf(child(value, 'driver_opts')),
    internal: flagOf(child(value, 'internal'), false),
    attachable: flagOf(child(value, 'attachable'), false),
    enableIPv4: flagOf(child(value, 'enable_ipv4'), true),
    enableIPv6: flagOf(child(value, 'enable_ipv6'), false),
    ipam: ipamOf(key, driver, child(value, 'ipam'), report),
    labels: recordOf(child(value, 'labels')),
  }
}

/** A bridge network with everything left to Docker. */
export const plainNetwork = (key: string, name: string, at: At): ProjectNetwork => ({
  key,
  name,
  driver: 'bridge',
  driverOpts: {},
  internal: false,
  attachable: false,
  enableIPv4: true,
  enableIPv6: false,
  external: false,
  ipam: { driver: 'default', options: {}, pools: [] },
  labels: {},
  at,
})
