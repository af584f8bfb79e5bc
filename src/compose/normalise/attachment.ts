// How a service is on its networks: the list or mapping under `networks`, or the implicit `default` (Compose
// Specification, "networks" of a service).

import { ENDPOINT_OPTIONS, IFNAME, parseSysctls, SYSCTLS } from '../../model/endpoint-options.ts'
import { type Ip, isIp4, isIp6, parseIp } from '../../net/ip.ts'
import { isGroup, type Mac, parseMac } from '../../net/mac.ts'
import { parseNewIfName } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { ProjectAttachment } from '../project.ts'
import type { Report } from '../report.ts'
import { nearest } from '../suggest.ts'
import { child, type Entry, entriesOf, itemsOf, type Tree } from '../tree.ts'
import { integerOf, parsed, wordsOf } from './value.ts'

const parseFamily =
  <A extends Ip>(is: (ip: Ip) => ip is A, name: string) =>
  (text: string): Either<string, A> => {
    const ip = parseIp(text)
    if (E.isLeft(ip)) return ip
    return is(ip.right) ? E.right(ip.right) : E.left(`"${text}" is not an ${name} address`)
  }

/** Docker also takes hyphens between the digits. */
export const parseOwnMac = (text: string): Either<string, Mac> => {
  const mac = parseMac(text.replaceAll('-', ':'))
  return E.isRight(mac) && isGroup(mac.right) ? E.left(`"${text}" is a group address; no interface can have it`) : mac
}

const noteUnsupported = (tree: Tree, path: string, report: Report): void => {
  for (const [option, { keyAt }] of entriesOf(child(tree, 'driver_opts')))
    if (!ENDPOINT_OPTIONS.includes(option))
      report.notes.push({ at: keyAt, text: `${path}.driver_opts.${option} is not known; it is left out` })
}

const attachmentOf = (service: string, network: string, { keyAt, value }: Entry, report: Report): ProjectAttachment => {
  const path = `services.${service}.networks.${network}`
  const field = (key: string) => child(value, key)
  const option = (name: string) => child(child(value, 'driver_opts'), name)
  const parsedOption = <A>(name: string, parse: (text: string) => Either<string, A>): A | null =>
    parsed(option(name), `${path}.driver_opts.${name}`, parse, report)
  noteUnsupported(value, path, report)
  return {
    network,
    aliases: [...new Set([service, ...wordsOf(field('aliases'))])],
    ipv4: parsed(field('ipv4_address'), `${path}.ipv4_address`, parseFamily(isIp4, 'IPv4'), report),
    ipv6: parsed(field('ipv6_address'), `${path}.ipv6_address`, parseFamily(isIp6, 'IPv6'), report),
    linkLocal: itemsOf(field('link_local_ips')).flatMap(
      (item, i) => parsed(item, `${path}.link_local_ips[${i}]`, parseIp, report) ?? [],
    ),
    mac: parsed(field('mac_address'), `${path}.mac_address`, parseOwnMac, report),
    priority: integerOf(field('priority')) ?? 0,
    gwPriority: integerOf(field('gw_priority')) ?? 0,
    interfaceName:
      parsed(field('interface_name'), `${path}.interface_name`, parseNewIfName, report) ??
      parsedOption(IFNAME, parseNewIfName),
    sysctls: parsedOption(SYSCTLS, parseSysctls) ?? {},
    at: keyAt,
    places: {
      ipv4: field('ipv4_address')?.at ?? keyAt,
      ipv6: field('ipv6_address')?.at ?? keyAt,
      mac: field('mac_address')?.at ?? keyAt,
    },
  }
}

const inOrder = (a: ProjectAttachment, b: ProjectAttachment): number =>
  b.priority - a.priority || (a.network < b.network ? -1 : a.network > b.network ? 1 : 0)

/** The service's own MAC address goes to the network that comes first. */
const withMac = (attachments: ReadonlyArray<ProjectAttachment>, mac: Mac | null): ReadonlyArray<ProjectAttachment> =>
  attachments.map((attachment, i) => (i === 0 && attachment.mac === null ? { ...attachment, mac } : attachment))

/** Without `networks` a service is on `default`. */
const implicit = ({ keyAt }: Entry): ReadonlyArray<readonly [string, Entry]> => {
  const value: Tree = { tag: 'scalar', value: null, source: '', at: keyAt, directive: null }
  return [['default', { keyAt, value }]]
}

/** `known` are the keys of declared networks; `default` may always be named. */
export const attachmentsOf = (
  service: string,
  entry: Entry,
  known: ReadonlyMap<string, unknown>,
  report: Report,
): ReadonlyArray<ProjectAttachment> => {
  const mac = parsed(child(entry.value, 'mac_address'), `services.${service}.mac_address`, parseOwnMac, report)
  const written = entriesOf(child(entry.value, 'networks'))
  for (const [name, { keyAt }] of written) {
    if (known.has(name) || name === 'default') continue
    const where = `services.${service}.networks`
    const names = [...known.keys()]
    const suggestion = nearest(name, names)
    report.errors.push({ tag: 'Unknown', noun: 'network', name, where, suggestion, known: names, at: keyAt })
  }
  const attachments = (written.length > 0 ? written : implicit(entry)).map(([network, value]) =>
    attachmentOf(service, network, value, report),
  )
  return withMac(attachments.toSorted(inOrder), mac)
}
