// The host, through ip(8) and ss(8): a process for each question.

import { isOurAlias } from '../../kernel/owned.ts'
import { type Cidr, parseCidr } from '../../net/cidr.ts'
import { type HostDevice, type HostSocket, isNarrow } from '../../net/host-facts.ts'
import { ip4, ip6, parseIp } from '../../net/ip.ts'
import { HOST, type IfName } from '../../net/name.ts'
import { isPort, TRANSPORTS } from '../../net/port.ts'
import { E } from '../../prelude.ts'
import { documents, fields, type Json, list, text } from '../decode/json.ts'
import { complaintOf } from '../errno.ts'
import type { Names } from '../names.ts'
import { type Run, unavailable } from '../run.ts'
import type { Result } from '../transport.ts'
import { type Ears, realIp } from './ears.ts'

const BATCH = ['-json', '-details', '-force', '-batch', '-']
const deviceOf = (name: IfName, link: Json): HostDevice => ({
  name,
  type: text(fields(link['linkinfo'])['info_kind']) ?? (text(link['link_type']) === 'loopback' ? 'loopback' : null),
  ours: isOurAlias(text(link['ifalias'])),
})

/** A route of another type, or by several next hops, has no device; a gateway may be of the other family (`via`). */
const prefixOf = (route: Json): ReadonlyArray<Cidr> => {
  const dst = text(route['dst']) ?? ''
  const cidr = parseCidr(dst.includes('/') ? dst : `${dst}/${dst.includes(':') ? 128 : 32}`)
  const isUnicast = (text(route['type']) ?? 'unicast') === 'unicast'
  const isNear = text(route['dev']) !== null && text(route['gateway']) === null && route['via'] === undefined
  return E.isRight(cidr) && isNarrow(cidr.right) && isUnicast && isNear ? [cidr.right] : []
}

/** `<protocol> <state> <queue> <queue> <address>:<port> <peer>`; `*` is every address of both families, `%` begins a device. */
const SOCKET = /^(\S+)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s/

const hostsOf = (written: string): ReadonlyArray<HostSocket['ip']> => {
  if (written === '*') return [ip4(0), ip6(0n)]
  const ip = parseIp(written.replace(/%.*$/, '').replace(/^\[(.*)\]$/, '$1'))
  return E.isLeft(ip) ? [] : [realIp(ip.right)]
}

/** What `ss -H -l -n -t -u -S` says. */
export const socketsIn = (stdout: string): ReadonlyArray<HostSocket> =>
  stdout.split('\n').flatMap((line) => {
    const [, protocol, address = '', digits] = SOCKET.exec(line) ?? []
    const transport = TRANSPORTS.find((one) => one === protocol)
    const port = Number(digits)
    return transport === undefined || !isPort(port) ? [] : hostsOf(address).map((ip) => ({ ip, port, transport }))
  })

export const earsByTools = (run: Run, names: Names): Ears => {
  const prefixesOf = async (family: '-4' | '-6'): Result<ReadonlyArray<Cidr>> => {
    const ran = await run(names(HOST), 'ip', [family, '-json', 'route', 'show', 'table', 'main'])
    if (E.isLeft(ran)) return ran
    return E.right(
      documents(ran.right.stdout).flatMap((json) => list(json).flatMap((route) => prefixOf(fields(route)))),
    )
  }
  return {
    devices: async (asked) => {
      const ran = await run(names(HOST), 'ip', BATCH, asked.map((name) => `link show dev ${name}\n`).join(''))
      if (E.isLeft(ran)) return ran
      const links = documents(ran.right.stdout).flatMap((json) => list(json).map(fields))
      return E.right(
        asked.flatMap((name) => {
          const link = links.find((each) => text(each['ifname']) === name)
          return link === undefined ? [] : [deviceOf(name, link)]
        }),
      )
    },
    prefixes: async () => {
      const [four, six] = await Promise.all([prefixesOf('-4'), prefixesOf('-6')])
      if (E.isLeft(four)) return four
      return E.isLeft(six) ? six : E.right([...four.right, ...six.right])
    },
    sockets: async () => {
      const ran = await run(names(HOST), 'ss', ['-H', '-l', '-n', '-t', '-u', '-S'])
      if (E.isLeft(ran)) return ran
      const { status, stdout, stderr } = ran.right
      return status === 0 ? E.right(socketsIn(stdout)) : E.left(unavailable(`ss: ${complaintOf(stderr).detail}`))
    },
  }
}
