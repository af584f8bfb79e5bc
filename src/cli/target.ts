// The words FROM and TO[:PORT/PROTO] of the command line.

import type { Kind } from '../lab/approach.ts'
import { type Ip, parseIp } from '../net/ip.ts'
import { parsePort, parseTransport } from '../net/port.ts'
import { E, type Either } from '../prelude.ts'

/** A name, or an address. */
export type Who = Readonly<{ tag: 'name'; name: string } | { tag: 'address'; ip: Ip }>
export type Target = Readonly<{ who: Who; kind: Kind }>

export const parseWho = (text: string): Who => {
  const ip = parseIp(text)
  return E.isRight(ip) ? { tag: 'address', ip: ip.right } : { tag: 'name', name: text }
}

const ECHO: Kind = { proto: 'icmp' }

/** `80`, `80/tcp`. */
const parseKind = (text: string): Either<string, Kind> => {
  const [number = '', proto = 'tcp', ...rest] = text.split('/')
  const port = parsePort(number)
  const transport = parseTransport(proto)
  if (E.isLeft(port) || rest.length > 0) return E.left(`"${text}" is not a port such as 80, 80/tcp or 53/udp`)
  return E.isLeft(transport) ? transport : E.right({ proto: transport.right, port: port.right })
}

const BRACKETS = /^\[([^\]]*)\](?::(.*))?$/

/** Reads `web`, `web:80`, `web:53/udp`, `172.18.0.2:80/tcp`, `[fd00::2]:80`. Left: a sentence. */
export const parseTarget = (text: string): Either<string, Target> => {
  if (E.isRight(parseIp(text))) return E.right({ who: parseWho(text), kind: ECHO })
  const bracketed = BRACKETS.exec(text)
  const colon = text.lastIndexOf(':')
  const [name, rest] =
    bracketed !== null
      ? [bracketed[1] ?? '', bracketed[2]]
      : colon < 0
        ? [text, undefined]
        : [text.slice(0, colon), text.slice(colon + 1)]
  const kind = rest === undefined ? E.right(ECHO) : parseKind(rest)
  if (E.isLeft(kind)) return kind
  return name === '' ? E.left(`"${text}" names nobody`) : E.right({ who: parseWho(name), kind: kind.right })
}

export const kindText = (kind: Kind): string => (kind.proto === 'icmp' ? 'ping' : `${kind.proto}/${kind.port}`)
