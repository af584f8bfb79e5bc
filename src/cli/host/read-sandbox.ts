// The options of a sandbox as values, in Docker's words: names, resolvers, extra hosts, ports, labels, sysctls.

import { parseExposed } from '../../compose/normalise/port.ts'
import type { PortRequest, SandboxOptions } from '../../model/command.ts'
import type { ExposedPort, ExtraHost } from '../../model/types.ts'
import { type Ip, parseIp } from '../../net/ip.ts'
import { allOf, E, type Either, traverse } from '../../prelude.ts'
import type { Problem } from '../problem.ts'
import { oneWord, read, readPairs, readPorts, readWords } from './read.ts'

/** As written. */
export type SandboxWords = Readonly<{
  hostname?: string
  domainname?: string
  publish?: ReadonlyArray<string>
  expose?: ReadonlyArray<string>
  dns?: ReadonlyArray<string>
  dnsSearch?: ReadonlyArray<string>
  dnsOption?: ReadonlyArray<string>
  addHost?: ReadonlyArray<string>
  label?: ReadonlyArray<string>
  sysctl?: ReadonlyArray<string>
}>

/** `hostname` null: the sandbox's own name. */
export type SandboxWishes = SandboxOptions & Readonly<{ hostname: string | null; ports: ReadonlyArray<PortRequest> }>

const word = (option: string, text: string | undefined): Either<Problem, string | null> =>
  text === undefined ? E.right(null) : read(option, text, oneWord)

/** `NAME:IP` or `NAME=IP`; an IPv6 address may stand in brackets. */
const parseHost = (text: string): Either<string, ExtraHost> => {
  const [, name = '', ip = ''] = /^([^:=\s\p{Cc}]+)[:=](.*)$/su.exec(text) ?? []
  if (name === '') return E.left(`"${text}" is not a host such as db:203.0.113.7`)
  return E.map((address: Ip) => ({ name, ip: address }))(parseIp(ip.replace(/^\[(.*)\]$/s, '$1')))
}

const readExposed = (texts: ReadonlyArray<string> = []): Either<Problem, ReadonlyArray<ExposedPort>> => {
  const ports = traverse(texts, (text) => read('--expose', text, parseExposed))
  if (E.isLeft(ports)) return ports
  return E.right(ports.right.flat().map(({ port, proto }) => ({ port, transport: proto })))
}

export const readSandbox = (said: SandboxWords): Either<Problem, SandboxWishes> => {
  const written = allOf({
    hostname: word('--hostname', said.hostname),
    domainname: word('--domainname', said.domainname),
    ports: readPorts(said.publish),
    exposed: readExposed(said.expose),
    servers: traverse(said.dns ?? [], (text) => read('--dns', text, parseIp)),
    search: readWords('--dns-search', said.dnsSearch),
    options: readWords('--dns-option', said.dnsOption),
    extraHosts: traverse(said.addHost ?? [], (text) => read('--add-host', text, parseHost)),
    labels: readPairs('--label', said.label),
    sysctls: readPairs('--sysctl', said.sysctl),
  })
  if (E.isLeft(written)) return written
  const { domainname, servers, search, options, ...wishes } = written.right
  return E.right({ ...wishes, domainname: domainname ?? '', dns: { servers, search, options } })
}
