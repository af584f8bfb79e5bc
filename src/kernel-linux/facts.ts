// What the host is like beside what we hold: its devices, where its routes lead, its ports. Through ip(8) and ss(8): asked once when a
// network is made or a sandbox publishes ports, and not when an endpoint joins.

import { aliasFor } from '../kernel/owned.ts'
import { automaticPorts, PORT_RANGE, RESERVED_PORTS, reservedPorts, type SysctlName } from '../kernel/sysctl.ts'
import { type Cidr, parseCidr } from '../net/cidr.ts'
import type { HostDevice, HostFacts, HostPorts, HostQuestion, HostSocket } from '../net/host-facts.ts'
import { ip4, ip6, parseIp } from '../net/ip.ts'
import { HOST, type IfName } from '../net/name.ts'
import { isPort, TRANSPORTS } from '../net/port.ts'
import { E } from '../prelude.ts'
import { documents, fields, type Json, list, text } from './decode/json.ts'
import { complaintOf } from './errno.ts'
import type { Names } from './names.ts'
import { type Run, unavailable } from './run.ts'
import type { Sysctls } from './sysctls.ts'
import type { Result } from './transport.ts'

export type Ears = Readonly<{ run: Run; names: Names; sysctls: Sysctls }>

const BATCH = ['-json', '-details', '-force', '-batch', '-']
const ANY_OF_OURS = aliasFor('')

const deviceOf = (name: IfName, link: Json): HostDevice => ({
  name,
  type: text(fields(link['linkinfo'])['info_kind']) ?? (text(link['link_type']) === 'loopback' ? 'loopback' : null),
  ours: text(link['ifalias'])?.startsWith(ANY_OF_OURS) === true,
})

const devicesIn = async ({ run, names }: Ears, asked: ReadonlyArray<IfName>): Result<ReadonlyArray<HostDevice>> => {
  if (asked.length === 0) return E.right([])
  const ran = await run(names(HOST), 'ip', BATCH, asked.map((name) => `link show dev ${name}\n`).join(''))
  if (E.isLeft(ran)) return ran
  const links = documents(ran.right.stdout).flatMap((json) => list(json).map(fields))
  return E.right(
    asked.flatMap((name) => {
      const link = links.find((each) => text(each['ifname']) === name)
      return link === undefined ? [] : [deviceOf(name, link)]
    }),
  )
}

/** So short a prefix says where anything goes, as a default route does: VPNs have 0.0.0.0/1 and 128.0.0.0/1. */
const BROAD_BITS = 8

/** Where the host's own neighbours are: what is behind a router, somebody else may route. */
const prefixOf = (route: Json): ReadonlyArray<Cidr> => {
  const dst = text(route['dst']) ?? ''
  const cidr = parseCidr(dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`)
  const isNear = text(route['dev']) !== null && text(route['gateway']) === null
  return E.isRight(cidr) && cidr.right.bits >= BROAD_BITS && isNear ? [cidr.right] : []
}

const prefixesOf = async ({ run, names }: Ears, family: '-4' | '-6'): Result<ReadonlyArray<Cidr>> => {
  const ran = await run(names(HOST), 'ip', [family, '-json', 'route', 'show', 'table', 'main'])
  if (E.isLeft(ran)) return ran
  return E.right(documents(ran.right.stdout).flatMap((json) => list(json).flatMap((route) => prefixOf(fields(route)))))
}

const prefixesIn = async (ears: Ears): Result<ReadonlyArray<Cidr>> => {
  const [four, six] = await Promise.all([prefixesOf(ears, '-4'), prefixesOf(ears, '-6')])
  if (E.isLeft(four)) return four
  return E.isLeft(six) ? six : E.right([...four.right, ...six.right])
}

/** `<protocol> <state> <queue> <queue> <address>:<port> <peer>`; `*` is every address of both families, `%` begins a device. */
const SOCKET = /^(\S+)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s/

const hostsOf = (written: string): ReadonlyArray<HostSocket['ip']> => {
  if (written === '*') return [ip4(0), ip6(0n)]
  const ip = parseIp(written.replace(/%.*$/, '').replace(/^\[(.*)\]$/, '$1'))
  return E.isLeft(ip) ? [] : [ip.right]
}

/** What `ss -H -l -n -t -u -S` says. */
export const socketsIn = (stdout: string): ReadonlyArray<HostSocket> =>
  stdout.split('\n').flatMap((line) => {
    const [, protocol, address = '', digits] = SOCKET.exec(line) ?? []
    const transport = TRANSPORTS.find((one) => one === protocol)
    const port = Number(digits)
    return transport === undefined || !isPort(port) ? [] : hostsOf(address).map((ip) => ({ ip, port, transport }))
  })

const portsIn = async ({ run, names, sysctls }: Ears): Result<HostPorts> => {
  const [ran, read] = await Promise.all([
    run(names(HOST), 'ss', ['-H', '-l', '-n', '-t', '-u', '-S']),
    sysctls.look(HOST, [PORT_RANGE, RESERVED_PORTS]),
  ])
  if (E.isLeft(ran)) return ran
  if (E.isLeft(read)) return read
  if (ran.right.status !== 0) return E.left(unavailable(`ss: ${complaintOf(ran.right.stderr).detail}`))
  const settingOf = (name: SysctlName): string => read.right.find((each) => each.name === name)?.value ?? ''
  return E.right({
    automatic: automaticPorts(settingOf(PORT_RANGE)),
    reserved: reservedPorts(settingOf(RESERVED_PORTS)),
    taken: socketsIn(ran.right.stdout),
  })
}

export const facts = async (ears: Ears, question: HostQuestion): Result<HostFacts> => {
  const [devices, prefixes, ports] = await Promise.all([
    devicesIn(ears, question.devices),
    question.prefixes ? prefixesIn(ears) : E.right([]),
    question.ports ? portsIn(ears) : E.right(null),
  ])
  if (E.isLeft(devices)) return devices
  if (E.isLeft(prefixes)) return prefixes
  if (E.isLeft(ports)) return ports
  return E.right({ devices: devices.right, prefixes: prefixes.right, ports: ports.right })
}
