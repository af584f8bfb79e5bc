// What can only be found out by doing it: in network namespaces of processes of our own, which vanish with them, so that
// nothing of this machine changes. A kernel answers "Unknown device type" for a kind of link that it does not know, and for
// one that it knows it makes the link or says what was wrong with the wish (net/core/rtnetlink.c, __rtnl_newlink).

import { E } from '../../prelude.ts'
import { type Ability, FIREWALL, LINK_KINDS, type LinkKind } from '../capabilities.ts'
import { bareWords, batchComplaints, type Complaint, complaintOf } from '../errno.ts'
import type { Run } from '../run.ts'

export const THERE: Ability = { is: 'there' }

type Asked = LinkKind | 'vlan-filtering'
/** Some lack a parent, which the kernel complains of once it knows what they are. */
const WISH: Readonly<Record<Asked, string>> = {
  bridge: 'link add name t-bridge type bridge',
  veth: 'link add name t-veth type veth peer name t-peer',
  vxlan: 'link add name t-vxlan type vxlan id 1 dstport 4789',
  macvlan: 'link add name t-macvlan type macvlan',
  ipvlan: 'link add name t-ipvlan type ipvlan',
  vlan: 'link add name t-vlan type vlan id 5',
  dummy: 'link add name t-dummy type dummy',
  tun: 'link add name t-tun type tun',
  'vlan-filtering': 'link add name t-filter type bridge vlan_filtering 1',
}
const ASKED: ReadonlyArray<Asked> = [...LINK_KINDS, 'vlan-filtering']

type Rule = (typeof FIREWALL)[number]
/** In a transaction of its own each: one that fails must not take the others along. */
const RULES: Readonly<Record<Rule, string>> = {
  'nft-nat': 'add table inet t\nadd chain inet t c { type nat hook prerouting priority dstnat; }\n',
  'nft-fib': 'add table inet t\nadd chain inet t c\nadd rule inet t c fib daddr type local accept\n',
  'nft-ct': 'add table inet t\nadd chain inet t c\nadd rule inet t c ct state established accept\n',
}

const MODULE: Readonly<Record<LinkKind | Rule, ReadonlyArray<string>>> = {
  bridge: ['bridge'],
  veth: ['veth'],
  vxlan: ['vxlan'],
  macvlan: ['macvlan'],
  ipvlan: ['ipvlan'],
  vlan: ['8021q'],
  dummy: ['dummy'],
  tun: ['tun'],
  'nft-nat': ['nf_tables', 'nft_chain_nat'],
  'nft-fib': ['nf_tables', 'nft_fib_inet'],
  'nft-ct': ['nf_tables', 'nft_ct'],
}

/** What unshare(1) ends with when it finds no such program. */
const NOT_FOUND = 127

/** The program could not be run, or ended without having tried. */
const untried = (why: string): Ability => ({ is: 'unknown', why })

/** The errno of a kind that the kernel does not know; other complaints are about the wish. */
const verdictOf = ({ errno, detail }: Complaint): Ability => {
  if (errno === 'EPERM' || errno === 'EACCES') return untried(bareWords(detail))
  return errno === 'EOPNOTSUPP' ? { is: 'lacking', why: bareWords(detail) } : THERE
}

/** What is found out by trying. */
export type Tried = Asked | Rule
type Found<K extends Tried = Tried> = Readonly<Record<K, Ability>>
const TRIED: ReadonlyArray<Tried> = [...ASKED, ...FIREWALL]

/** How a trial namespace is entered: the words for unshare(1). */
export type Entry = ReadonlyArray<string>

/** One for each. */
const foundOf = <K extends Tried>(keys: ReadonlyArray<K>, of: (key: K, at: number) => Ability): Found<K> =>
  // Its keys are those it was made from, which Object.fromEntries forgets.
  Object.fromEntries(keys.map((key, at) => [key, of(key, at)])) as Found<K>

const tryLinks = async (run: Run, entry: Entry, asked: ReadonlyArray<Asked>): Promise<Found<Asked>> => {
  const script = asked.map((each) => `${WISH[each]}\n`).join('')
  const ran = await run(null, 'unshare', [...entry, '--', 'ip', '-force', '-batch', '-'], script)
  if (E.isLeft(ran)) return foundOf(asked, () => untried(ran.left.what))
  const { lines, last } = batchComplaints(ran.right.stderr)
  const silent = lines.size === 0 && last !== '' ? untried(complaintOf(last).detail) : THERE
  return foundOf(asked, (_, at) => {
    const said = lines.get(at + 1)
    return said === undefined ? silent : verdictOf(said)
  })
}

const tryRule = async (run: Run, entry: Entry, rule: Rule): Promise<Ability> => {
  const ran = await run(null, 'unshare', [...entry, '--', 'nft', '-f', '-'], RULES[rule])
  if (E.isLeft(ran)) return untried(ran.left.what)
  const { status, stderr } = ran.right
  if (status === 0) return THERE
  const why = bareWords(complaintOf(stderr).detail)
  return status === NOT_FOUND ? untried(why) : { is: 'lacking', why }
}

/** Whether such a namespace can be made at all. */
export const tryEntry = async (run: Run, entry: Entry): Promise<Ability> => {
  const ran = await run(null, 'unshare', [...entry, '--', 'true'])
  if (E.isLeft(ran)) return untried(ran.left.what)
  const { status, stderr } = ran.right
  return status === 0 ? THERE : { is: 'lacking', why: bareWords(complaintOf(stderr).detail) }
}

/** What its module brings while that sleeps; null: it may be asked for. */
const sleeping = (of: Tried, isSleeping: (module: string) => boolean): Ability | null => {
  const module = (of === 'vlan-filtering' ? MODULE.bridge : MODULE[of]).find(isSleeping)
  return module === undefined ? null : { is: 'loadable', module }
}

/** Links and firewall. What a sleeping module brings is not tried (modules.ts). */
export const tryOut = async (run: Run, entry: Entry, isSleeping: (module: string) => boolean): Promise<Found> => {
  const awake = <K extends Tried>(keys: ReadonlyArray<K>) => keys.filter((key) => sleeping(key, isSleeping) === null)
  const [links, ...rules] = await Promise.all([
    tryLinks(run, entry, awake(ASKED)),
    ...awake(FIREWALL).map(async (rule) => [rule, await tryRule(run, entry, rule)] as const),
  ])
  const found: Partial<Found> = { ...links, ...Object.fromEntries(rules) }
  return foundOf(TRIED, (key) => found[key] ?? sleeping(key, isSleeping) ?? untried('it was not tried'))
}

/** When no namespace could be made to try it in. */
export const triedNowhere = (why: string): Found => foundOf(TRIED, () => untried(why))
