// Published and exposed ports, short and long form (Compose Specification, "ports", "expose"; go-connections' nat package
// for what Docker accepts): [[IP:]HOST:]CONTAINER[/PROTOCOL], where HOST and CONTAINER may be ranges.

import { type Ip, parseIp } from '../../net/ip.ts'
import { type Port, parsePort, parseTransport, port, type Transport } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import type { At } from '../at.ts'
import type { ExposedPort, PortPublish } from '../project.ts'
import { isFull, type Report } from '../report.ts'
import { child, itemsOf, type Tree } from '../tree.ts'
import { parsed } from './value.ts'

type Range = Readonly<{ from: Port; to: Port }>

const parseRange = (text: string): Either<string, Range> => {
  const [first = '', last = first, ...rest] = text.split('-')
  const from = parsePort(first)
  const to = parsePort(last)
  if (E.isLeft(from)) return from
  if (E.isLeft(to)) return to
  if (rest.length > 0) return E.left(`"${text}" is not a range such as 8080-8090`)
  if (from.right > to.right) return E.left(`"${text}" is a range that ends before it begins`)
  return E.right({ from: from.right, to: to.right })
}

/** Nothing and 0 mean any free port. */
const parseHostRange = (text: string): Either<string, Range | null> =>
  text === '' || text === '0' ? E.right(null) : parseRange(text)

/** `::1` may stand in brackets; nothing means every address. */
const parseHostIp = (text: string): Either<string, Ip | null> =>
  text === '' ? E.right(null) : parseIp(text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text)

const cut = (text: string, separator: string): readonly [string, string] | null => {
  const i = text.lastIndexOf(separator)
  return i === -1 ? null : [text.slice(0, i), text.slice(i + 1)]
}

/** A container range goes with a host range of the same length, port by port, or with none. */
const expand = (hostIp: Ip | null, host: Range | null, container: Range, transport: Transport, at: At) => {
  const length = container.to - container.from + 1
  if (host !== null && length > 1 && host.to - host.from + 1 !== length)
    return E.left(`${host.to - host.from + 1} host ports do not match ${length} container ports`)
  return E.right(
    Array.from({ length }, (_, i): PortPublish => {
      const hostPorts = host === null || length === 1 ? host : { from: port(host.from + i), to: port(host.from + i) }
      return { hostIp, hostPorts, containerPort: port(container.from + i), transport, at }
    }),
  )
}

/** Left: a clause about what is wrong. */
export const parseShortPort = (text: string, at: At): Either<string, ReadonlyArray<PortPublish>> => {
  const [address, protocol] = cut(text.trim(), '/') ?? [text.trim(), 'tcp']
  const [outside, inside] = cut(address, ':') ?? ['', address]
  const [ipText, hostText] = cut(outside, ':') ?? ['', outside]
  const transport = parseTransport(protocol.toLowerCase())
  if (E.isLeft(transport)) return transport
  const container = parseRange(inside)
  if (E.isLeft(container)) return container
  const host = parseHostRange(hostText)
  if (E.isLeft(host)) return host
  const hostIp = parseHostIp(ipText)
  if (E.isLeft(hostIp)) return hostIp
  return expand(hostIp.right, host.right, container.right, transport.right, at)
}

const longPort = (tree: Tree, path: string, report: Report): ReadonlyArray<PortPublish> => {
  const before = report.errors.length
  const container = parsed(child(tree, 'target'), `${path}.target`, parsePort, report)
  const host = parsed(child(tree, 'published'), `${path}.published`, parseHostRange, report)
  const hostIp = parsed(child(tree, 'host_ip'), `${path}.host_ip`, parseHostIp, report)
  const protocol = (text: string) => parseTransport(text.toLowerCase())
  const transport = parsed(child(tree, 'protocol'), `${path}.protocol`, protocol, report) ?? 'tcp'
  if (container === null) {
    if (report.errors.length === before) report.errors.push({ tag: 'MissingKey', path, key: 'target', at: tree.at })
    return []
  }
  if (report.errors.length > before) return []
  return [{ hostIp, hostPorts: host, containerPort: container, transport, at: tree.at }]
}

const identity = (p: PortPublish): string =>
  `${p.hostIp}|${p.hostPorts?.from}-${p.hostPorts?.to}|${p.containerPort}/${p.transport}`

/** Of a project; ranges are written shortly and become long. */
export const MOST_PORTS = 100_000

export const tooMany = (ports: number, { at }: Readonly<{ at: At }>, report: Report): boolean => {
  if (ports <= MOST_PORTS) return false
  report.errors.push({ tag: 'TooComplex', reason: `a project may publish and expose ${MOST_PORTS} ports`, at })
  return true
}

/** The same publication said twice, in one file or in several, is one; the later place counts. */
export const portsOf = (tree: Tree | undefined, path: string, report: Report): ReadonlyArray<PortPublish> => {
  const publishes = new Map<string, PortPublish>()
  let looked = 0
  for (const [i, item] of itemsOf(tree).entries()) {
    if (isFull(report) || tooMany(looked, item, report)) break
    const here = `${path}[${i}]`
    const found =
      item.tag === 'mapping'
        ? longPort(item, here, report)
        : parsed(item, here, (text) => parseShortPort(text, item.at), report)
    looked += found?.length ?? 0
    for (const publish of found ?? []) publishes.set(identity(publish), publish)
  }
  return [...publishes.values()]
}

/** Left: a clause about what is wrong. */
export const parseExposed = (text: string): Either<string, ReadonlyArray<ExposedPort>> => {
  const [ports, protocol] = cut(text.trim(), '/') ?? [text.trim(), 'tcp']
  const proto = parseTransport(protocol.toLowerCase())
  if (E.isLeft(proto)) return proto
  const range = parseRange(ports)
  if (E.isLeft(range)) return range
  const { from, to } = range.right
  return E.right(Array.from({ length: to - from + 1 }, (_, i) => ({ port: port(from + i), proto: proto.right })))
}

export const exposeOf = (tree: Tree | undefined, path: string, report: Report): ReadonlyArray<ExposedPort> => {
  const ports = new Map<string, ExposedPort>()
  let looked = 0
  for (const [i, item] of itemsOf(tree).entries()) {
    if (isFull(report) || tooMany(looked, item, report)) break
    const found = parsed(item, `${path}[${i}]`, parseExposed, report) ?? []
    looked += found.length
    for (const exposed of found) ports.set(`${exposed.port}/${exposed.proto}`, exposed)
  }
  return [...ports.values()]
}

/** The text of a port entry, for messages. */
export const showHostPorts = (range: Range): string =>
  range.from === range.to ? String(range.from) : `${range.from}-${range.to}`
