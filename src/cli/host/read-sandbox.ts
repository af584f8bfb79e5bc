// The options of a sandbox as values, in Docker's words: names, resolvers, extra hosts, ports, labels.

import { parseExposed } from '../../compose/normalise/port.ts'
import type { PortRequest, SandboxOptions } from '../../model/command.ts'
import type { ExposedPort, ExtraHost } from '../../model/types.ts'
import { type Ip, parseIp } from '../../net/ip.ts'
import { E, type Either, traverse } from '../../prelude.ts'
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
  const hostname = word('--hostname', said.hostname)
  const domainname = word('--domainname', said.domainname)
  const ports = readPorts(said.publish)
  const exposed = readExposed(said.expose)
  const servers = traverse(said.dns ?? [], (text) => read('--dns', text, parseIp))
  const search = readWords('--dns-search', said.dnsSearch)
  const options = readWords('--dns-option', said.dnsOption)
  const extraHosts = traverse(said.addHost ?? [], (text) => read('--add-host', text, parseHost))
  const labels = readPairs('--label', said.label)
  if (E.isLeft(hostname)) return hostname
  if (E.isLeft(domainname)) return domainname
  if (E.isLeft(ports)) return ports
  if (E.isLeft(exposed)) return exposed
  if (E.isLeft(servers)) return servers
  if (E.isLeft(search)) return search
  if (E.isLeft(options)) return options
  if (E.isLeft(extraHosts)) return extraHosts
  if (E.isLeft(labels)) return labels
  return E.right({
    hostname: hostname.right,
    domainname: domainname.right ?? '',
    ports: ports.right,
    exposed: exposed.right,
    dns: { servers: servers.right, search: search.right, options: options.right },
    extraHosts: extraHosts.right,
    labels: labels.right,
  })
}
