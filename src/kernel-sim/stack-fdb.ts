// The forwarding entries of a namespace, as Linux tells them: those of its bridges, at the port that each is of; those of its VXLANs, one
// for each remote; and what each device hears beside its own MAC.
// Source: net/core/rtnetlink.c (rtnl_fdb_dump, ndo_dflt_fdb_dump), net/bridge/br_fdb.c (fdb_fill_info),
// drivers/net/vxlan/vxlan_core.c (vxlan_fdb_info).

import type { FdbFacts } from '../kernel/rtnl/stack.ts'
import { isGroup } from '../net/mac.ts'
import { getIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import type { FdbEntry, LinkEntry, RemotesEntry } from './link-entry.ts'
import type { NsEntry } from './state.ts'

/** By the words of bridge(8). */
const WORDS: Readonly<Record<FdbEntry['state'], string>> = { local: 'permanent', static: 'static', dynamic: '' }

const PLAIN = { master: null, vlan: null, flags: [], dst: null, vni: null, port: null, via: null } as const

const ofBridge = ({ name, fdb }: LinkEntry): ReadonlyArray<FdbFacts> =>
  valuesOf(fdb.entries).map(({ mac, vlan, dev, state, sticky }) => ({
    ...PLAIN,
    dev: dev ?? name,
    mac,
    master: name,
    vlan: vlan === 0 ? null : vlan,
    state: WORDS[state],
    flags: sticky ? ['sticky'] : [],
  }))

/** What is as the VXLAN itself has it is not said. */
const ofVxlan = (space: NsEntry, { name, spec }: LinkEntry, { mac, state, sticky, remotes }: RemotesEntry) =>
  remotes.map(
    ({ ip, port, vni, via }): FdbFacts => ({
      ...PLAIN,
      dev: name,
      mac,
      state: WORDS[state],
      flags: sticky ? ['self', 'sticky'] : ['self'],
      dst: ip,
      vni: spec.type !== 'vxlan' || vni === spec.vni ? null : vni,
      port: spec.type !== 'vxlan' || port === spec.port ? null : port,
      via: via === 0 ? null : (getIn(space.indexes, String(via)) ?? null),
    }),
  )

/** The groups that a device hears are not modelled, but for those that somebody puts in: they are not told. */
const ofFilter = ({ name, filter }: LinkEntry): ReadonlyArray<FdbFacts> =>
  valuesOf(filter.macs)
    .filter(({ mac }) => !isGroup(mac))
    .map(({ mac }) => ({ ...PLAIN, dev: name, mac, state: WORDS.local, flags: ['self'] }))

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
const byKey = (a: FdbFacts, b: FdbFacts): number =>
  byText(a.dev, b.dev) || a.mac - b.mac || (a.vlan ?? 0) - (b.vlan ?? 0) || byText(a.flags.join(), b.flags.join())

export const factsOfFdb = (space: NsEntry, links: ReadonlyArray<LinkEntry>): ReadonlyArray<FdbFacts> =>
  links
    .flatMap((link) => [
      ...ofBridge(link),
      ...(link.spec.type === 'vxlan'
        ? valuesOf(link.remotes).flatMap((entry) => ofVxlan(space, link, entry))
        : sizeOfMap(link.filter.macs) === 0
          ? []
          : ofFilter(link)),
    ])
    .sort(byKey)
