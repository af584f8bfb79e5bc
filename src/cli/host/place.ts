// Where what a verb works on is kept: what --store says, or the file in --state; and, with --host, as which of the hosts that share it.
// The command line is heard before the environment.

import type { Command } from 'commander'
import { printable } from '../../compose/error.ts'
import { parseHostId } from '../../model/cluster.ts'
import type { HostId } from '../../model/types.ts'
import { E, type Either } from '../../prelude.ts'
import { explainStore } from '../../store/error.ts'
import { isOnServers, parseStoreUrl, type ServersUrl, type StoreUrl, showStoreUrl } from '../../store/url.ts'
import type { Problem } from '../problem.ts'
import { misused } from './read.ts'

/** One of the hosts that share a prefix. */
export type HostPlace = Readonly<{ tag: 'host'; url: ServersUrl; host: HostId }>
/** A store that is one host's alone, or a host's part of a shared one. */
export type Place = StoreUrl | HostPlace

/** For sentences. */
export const showPlace = (place: Place): string =>
  place.tag === 'host' ? `host ${place.host} of ${showStoreUrl(place.url)}` : showStoreUrl(place)

const RANK: Readonly<Record<string, number>> = { cli: 2, env: 1 }
const rankOf = (command: Command, name: string): number => RANK[command.getOptionValueSource(name) ?? ''] ?? 0

type Said = Readonly<{ url: StoreUrl; rank: number }>

const storeOf = (command: Command, dir: string): Said => {
  const [store, state] = [rankOf(command, 'store'), rankOf(command, 'state')]
  if (store > 0 && store === state) command.error('error: --store and --state name two places; say one')
  if (store <= state) return { url: { tag: 'lmdb', dir }, rank: state }
  const url = parseStoreUrl(String(command.getOptionValue('store')))
  if (E.isLeft(url)) command.error(`error: ${explainStore(url.left)}`)
  if (url.right.tag === 'memory') command.error('error: what memory: holds is forgotten when the verb ends')
  return { url: url.right, rank: store }
}

const hostPlaceOf = (command: Command, { url, rank }: Said, text: string): Place => {
  const own = rankOf(command, 'host')
  if (text === '' && own < 2) return url
  const host = parseHostId(text)
  if (E.isLeft(host)) command.error(printable(`error: --host "${text}": ${host.left}`))
  if (isOnServers(url)) return { tag: 'host', url, host: host.right }
  // A directory that is said is heard before a host of the environment.
  if (own < rank) return url
  return command.error(
    `error: --host ${text} is for hosts that share a store; say --store etcd://..., zk://... or consul://..., or leave out --host (and CNM_HOST)`,
  )
}

/** Gives the command's `store` option its value: a Place. */
export const settlePlace = (command: Command): void => {
  const dir: unknown = command.getOptionValue('state')
  if (typeof dir !== 'string') return
  const said = storeOf(command, dir)
  const host: unknown = command.getOptionValue('host')
  command.setOptionValue('store', typeof host === 'string' ? hostPlaceOf(command, said, host) : said.url)
}

/** A verb that is about a whole store, or about what a host's part does not hold. */
export const noHostYet = (verb: string, why: string): Either<Problem, never> =>
  misused(`${verb}: not with --host yet: ${why}; leave out --host (and CNM_HOST)`)
