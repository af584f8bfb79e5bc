// Where a store is, as a URL: memory:, lmdb:DIR, etcd://, zk://, consul://. What is parsed is whole: every member has a port, no member is
// named twice, no option is unknown, the prefix has neither empty nor dotted parts. A password never gets into a text of ours.

import { isIP } from 'node:net'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from './error.ts'

/** A server of a cluster. `host`: a name or an address, of IPv6 without brackets. */
export type Member = Readonly<{ host: string; port: number }>
export type Login = Readonly<{ name: string; password: string | null }>

/** `prefix`: begins with a slash and does not end with one. */
type Cluster = Readonly<{
  members: ReadonlyArray<Member>
  login: Login | null
  prefix: string
}>

/** Files are named, not read. `tls`: also without a file, by the authorities that this system trusts. */
export type TlsOptions = Readonly<{
  tls: boolean
  ca: string | null
  cert: string | null
  key: string | null
}>
export type EtcdUrl = Cluster & Readonly<{ tag: 'etcd'; passwordFile: string | null }> & TlsOptions
export type ZkUrl = Cluster & Readonly<{ tag: 'zk' }>
/** Who we are says a token, in a file. */
export type ConsulUrl = Cluster & Readonly<{ tag: 'consul'; login: null; tokenFile: string | null }> & TlsOptions
/** Of a store on servers. */
export type ServersUrl = EtcdUrl | ZkUrl | ConsulUrl
export type StoreUrl = Readonly<{ tag: 'memory' }> | Readonly<{ tag: 'lmdb'; dir: string }> | ServersUrl

export const isOnServers = (url: StoreUrl): url is ServersUrl => url.tag !== 'memory' && url.tag !== 'lmdb'

const DEFAULT_PREFIX = '/cnm'
const DEFAULT_PORT = { etcd: 2379, zk: 2181, consul: 8500 } as const
type Kind = keyof typeof DEFAULT_PORT

const OPTIONS: Readonly<Record<Kind, ReadonlyArray<string>>> = {
  etcd: ['tls', 'ca', 'cert', 'key', 'password-file'],
  zk: [],
  consul: ['tls', 'ca', 'cert', 'key', 'token-file'],
}

const MAX_PREFIX_BYTES = 255
const KINDS = 'memory:, lmdb:DIR, or etcd://HOST:PORT,.../PREFIX; zk:// and consul:// likewise'

/** What may be a login is not shown, also where its "@" was forgotten and the password stands in a port's place. */
const withoutLogin = (text: string): string =>
  text
    .replace(/^([a-z]+:\/\/)?.*@/s, '$1')
    .replaceAll(/(^|[,/])([^[,/:?]+):(?!\/\/|\d+(?:[,/?]|$))[^,/?]*/gs, '$1$2:***')

type Read<A> = Either<string, A>

/** Left: it is not percent-encoded UTF-8. */
const decoded = (text: string, what: string): Read<string> => {
  try {
    return E.right(decodeURIComponent(text))
  } catch {
    return E.left(`has a "%" in its ${what} that stands for no character; write %25 for the sign itself`)
  }
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i
const MEMBER = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/s

const readPort = (word: string | undefined, standard: number): number | null => {
  if (word === undefined) return standard
  const port = /^[1-9][0-9]{0,4}$/.test(word) ? Number(word) : 0
  return port >= 1 && port <= 65_535 ? port : null
}

const readMember = (word: string, kind: Kind): Read<Member> => {
  const [, inBrackets, bare = '', portWord] = MEMBER.exec(word) ?? []
  const host = inBrackets ?? bare
  if (isIP(word) === 6) return E.left(`names the IPv6 address ${word} without brackets; write [${word}]`)
  if (host === '') return E.left('names a server without a host')
  if (inBrackets !== undefined && isIP(host) !== 6) return E.left(`has "${host}" in brackets, which is no IPv6 address`)
  // What looks like an address and is none is no name either.
  const isName = NAME.test(host) && !/^[0-9.]+$/.test(host)
  if (inBrackets === undefined && isIP(host) !== 4 && !isName) return E.left(`names "${host}", which is no host`)
  const port = readPort(portWord, DEFAULT_PORT[kind])
  return port === null ? E.left(`names ${host} with a port that is no number from 1 to 65535`) : E.right({ host, port })
}

const readMembers = (text: string, kind: Kind): Read<ReadonlyArray<Member>> => {
  const members: Member[] = []
  for (const word of text.split(',')) {
    const member = readMember(word, kind)
    if (E.isLeft(member)) return member
    const { host, port } = member.right
    if (members.some((each) => each.host.toLowerCase() === host.toLowerCase() && each.port === port))
      return E.left(`names ${showMember(member.right)} twice`)
    members.push(member.right)
  }
  return E.right(members)
}

const readLogin = (text: string | undefined): Read<Login | null> => {
  if (text === undefined) return E.right(null)
  const colon = text.indexOf(':')
  const name = decoded(colon < 0 ? text : text.slice(0, colon), 'user')
  if (E.isLeft(name)) return name
  if (name.right === '') return E.left('has an "@" with no user before it')
  const password = colon < 0 ? E.right(null) : decoded(text.slice(colon + 1), 'password')
  return E.isLeft(password) ? password : E.right({ name: name.right, password: password.right })
}

const readPrefix = (path: string): Read<string> => {
  const prefix = decoded(path.replace(/\/$/, ''), 'prefix')
  if (E.isLeft(prefix)) return prefix
  if (prefix.right === '') return E.right(DEFAULT_PREFIX)
  const parts = prefix.right.slice(1).split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    return E.left(`has the prefix "${prefix.right}", of which a part is empty, "." or ".."`)
  if (/[\p{Cc}\p{Cs}]/u.test(prefix.right)) return E.left('has a control character in its prefix')
  if (Buffer.byteLength(prefix.right) > MAX_PREFIX_BYTES)
    return E.left(`has a prefix of more than ${MAX_PREFIX_BYTES} bytes`)
  return prefix
}

type Options = ReadonlyMap<string, string>

const readOptions = (text: string | undefined, kind: Kind): Read<Options> => {
  const options = new Map<string, string>()
  for (const word of text === undefined ? [] : text.split('&')) {
    const [name = '', ...rest] = word.split('=')
    if (!OPTIONS[kind].includes(name)) {
      const known = OPTIONS[kind].length === 0 ? 'there are none' : `there are ${OPTIONS[kind].join(', ')}`
      return E.left(`has the option "${name}", which ${kind}:// does not know; ${known}`)
    }
    if (options.has(name)) return E.left(`has the option "${name}" twice`)
    const value = decoded(rest.join('='), `option ${name}`)
    if (E.isLeft(value)) return value
    if (value.right === '' && name !== 'tls') return E.left(`has the option "${name}" without a file`)
    options.set(name, value.right)
  }
  return E.right(options)
}

const AUTHORITY = /^(?:(.*)@)?([^@/?]*)(\/[^?]*)?(?:\?(.*))?$/s

type Parsed = Cluster & Readonly<{ options: Options }>

const readCluster = (text: string, kind: Kind): Read<Parsed> => {
  const [whole, loginText, membersText = '', path = '', query] = AUTHORITY.exec(text) ?? []
  if (whole === undefined) return E.left('is not HOST:PORT,.../PREFIX')
  if (/[/?]/.test(loginText ?? ''))
    return E.left('has a "/" or "?" before its last "@"; in a user or password write %2F or %3F, in a file %40')
  const members = readMembers(membersText, kind)
  if (E.isLeft(members)) return members
  const login = readLogin(loginText)
  if (E.isLeft(login)) return login
  const prefix = readPrefix(path)
  if (E.isLeft(prefix)) return prefix
  const options = readOptions(query, kind)
  if (E.isLeft(options)) return options
  return E.right({ members: members.right, login: login.right, prefix: prefix.right, options: options.right })
}

const readTlsOptions = (options: Options): Read<TlsOptions> => {
  const [ca = null, cert = null, key = null] = ['ca', 'cert', 'key'].map((name) => options.get(name))
  if ((options.get('tls') ?? '') !== '') return E.left('has a value for "tls"; it stands alone')
  if ((cert === null) !== (key === null)) return E.left('needs "cert" and "key" together')
  return E.right({ tls: ['tls', 'ca', 'cert'].some((name) => options.has(name)), ca, cert, key })
}

const readEtcd = ({ options, ...cluster }: Parsed): Read<EtcdUrl> => {
  const tls = readTlsOptions(options)
  if (E.isLeft(tls)) return tls
  const url: EtcdUrl = {
    tag: 'etcd',
    ...cluster,
    ...tls.right,
    passwordFile: options.get('password-file') ?? null,
  }
  if (url.passwordFile !== null && (url.login === null || url.login.password !== null))
    return E.left('needs a user, and no password, before its "@" for "password-file"')
  if (url.login !== null && url.login.password === null && url.passwordFile === null)
    return E.left('has a user without a password; write USER:PASSWORD@, or ?password-file=FILE')
  return E.right(url)
}

const readConsul = ({ options, login, ...cluster }: Parsed): Read<ConsulUrl> => {
  const tls = readTlsOptions(options)
  if (E.isLeft(tls)) return tls
  if (login !== null)
    return E.left('has a user, which Consul does not know; name the file of a token with "token-file"')
  return E.right({ tag: 'consul', ...cluster, login, ...tls.right, tokenFile: options.get('token-file') ?? null })
}

const isKind = (word: string | undefined): word is Kind => word !== undefined && Object.hasOwn(DEFAULT_PORT, word)

const readUrl = (text: string): Read<StoreUrl> => {
  if (text === 'memory:') return E.right({ tag: 'memory' })
  const [, kind, rest = ''] = /^([a-z]+):(.*)$/s.exec(text) ?? []
  if (kind === 'lmdb')
    return rest === '' ? E.left('lacks its directory; write lmdb:DIR') : E.right({ tag: 'lmdb', dir: rest })
  if (!isKind(kind)) return E.left(`is no store; write ${KINDS}`)
  if (!rest.startsWith('//')) return E.left(`lacks the two slashes after "${kind}:"`)
  const cluster = readCluster(rest.slice(2), kind)
  if (E.isLeft(cluster)) return cluster
  if (kind === 'etcd') return readEtcd(cluster.right)
  if (kind === 'consul') return readConsul(cluster.right)
  const { members, login, prefix } = cluster.right
  return E.right({ tag: 'zk', members, login, prefix })
}

export const parseStoreUrl = (text: string): Either<StoreError, StoreUrl> => {
  const url = readUrl(text)
  return E.isLeft(url) ? E.left({ tag: 'StoreBadUrl', url: withoutLogin(text), why: url.left }) : url
}

export const showMember = ({ host, port }: Member): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`

/** For sentences: whose user and password are not in it, nor its options. */
export const showStoreUrl = (url: StoreUrl): string => {
  switch (url.tag) {
    case 'memory':
      return 'memory:'
    case 'lmdb':
      return url.dir
    default:
      return `${url.tag}://${url.members.map(showMember).join(',')}${url.prefix}`
  }
}
