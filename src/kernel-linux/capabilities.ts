// What this kernel and this user may do, as data, and what follows from it in words. Pure; capabilities/look.ts finds it out.
// Invariant: only what is known to be lacking is said to be; what could not be asked stands in nobody's way.

import { PACKAGE, TOOLS, type Tool } from './run.ts'

/** Kinds of links, by the kernel's names; `vlan` is 802.1Q. */
export const LINK_KINDS = ['bridge', 'veth', 'vxlan', 'macvlan', 'ipvlan', 'vlan', 'dummy', 'tun'] as const
export type LinkKind = (typeof LINK_KINDS)[number]
export const FIREWALL = ['nft-nat', 'nft-fib', 'nft-ct'] as const

/** `netns`: that this user, or one in a user namespace of his own, may make network namespaces. */
export const FEATURES = [
  'netns',
  'userns',
  ...LINK_KINDS,
  'vlan-filtering',
  'ipv6',
  ...FIREWALL,
  'br_netfilter',
  'libc',
  'libnftables',
] as const
export type Feature = (typeof FEATURES)[number]

/** `loadable`: the kernel loads the module at its first use; it was not asked for, since asking would load it. */
export type Ability = Readonly<
  { is: 'there' } | { is: 'loadable'; module: string } | { is: 'lacking'; why: string } | { is: 'unknown'; why: string }
>

/** Effective capabilities (capabilities(7)). In a user namespace they are about what belongs to that only. */
export type User = Readonly<{ uid: number; netAdmin: boolean; sysAdmin: boolean; inUserNamespace: boolean }>

/** `kernel`: its release. `tried`: where what must be tried was tried; null: nowhere. Versions are null where a tool is not there. */
export type Capabilities = Readonly<{
  kernel: string
  user: User
  tried: 'network namespace' | 'user namespace' | null
  features: Readonly<Record<Feature, Ability>>
  tools: Readonly<Record<Tool, string | null>>
  transport: 'netlink' | 'iproute2'
}>

/** Whether the user may change the networks of the namespace he is in. */
export const mayChange = ({ netAdmin, sysAdmin }: User): boolean => netAdmin && sysAdmin

/** Each begins a sentence that ends with the reason. */
const LACKS: Readonly<Record<Feature, string>> = {
  netns: 'no network namespace can be made here',
  userns: 'no user namespace can be made here',
  bridge: 'this kernel has no bridge',
  veth: 'this kernel has no veth',
  vxlan: 'this kernel has no vxlan',
  macvlan: 'this kernel has no macvlan',
  ipvlan: 'this kernel has no ipvlan',
  vlan: 'this kernel has no 802.1Q VLAN devices',
  dummy: 'this kernel has no dummy',
  tun: 'this kernel has no tun',
  'vlan-filtering': 'bridges of this kernel do not filter by VLAN',
  ipv6: 'there is no IPv6 here',
  'nft-nat': 'nf_tables of this kernel has no nat for inet',
  'nft-fib': 'nf_tables of this kernel has no fib',
  'nft-ct': 'nf_tables of this kernel has no ct',
  br_netfilter: 'br_netfilter is not at work',
  libc: 'the C library cannot be called',
  libnftables: 'libnftables cannot be called',
}

/** Why this machine cannot give what is needed, as a sentence; null: nothing is known to be in the way. */
export const lacking = ({ features }: Capabilities, need: Feature): string | null => {
  const ability = features[need]
  return ability.is === 'lacking' ? `${LACKS[need]}: ${ability.why}` : null
}

/** What every network of ours needs: the bridge driver, a sandbox, the firewall. */
export const BASICS: ReadonlyArray<Feature> = ['netns', 'bridge', 'veth', ...FIREWALL]

/** The programs that are not there, which all work needs, and then what is lacking of these needs; empty: nothing. */
export const lackingOf = (capabilities: Capabilities, needs: ReadonlyArray<Feature>): ReadonlyArray<string> => [
  ...TOOLS.flatMap((tool) =>
    capabilities.tools[tool] === null
      ? [`the program ${tool} was not found: apt-get install ${PACKAGE[tool]} (or your system's own package)`]
      : [],
  ),
  ...needs.flatMap((need) => lacking(capabilities, need) ?? []),
]

export const abilityText = (ability: Ability): string => {
  switch (ability.is) {
    case 'there':
      return 'yes'
    case 'loadable':
      return `yes, as module ${ability.module}, which is loaded when it is first needed`
    case 'lacking':
      return `no: ${ability.why}`
    case 'unknown':
      return `not known: ${ability.why}`
  }
}

export const userText = (user: User): string => {
  const { uid, netAdmin, sysAdmin, inUserNamespace } = user
  const held = [...(netAdmin ? ['CAP_NET_ADMIN'] : []), ...(sysAdmin ? ['CAP_SYS_ADMIN'] : [])]
  const rights = held.length === 0 ? 'without CAP_NET_ADMIN and CAP_SYS_ADMIN' : `with ${held.join(' and ')}`
  return `uid ${uid}, ${rights}${inUserNamespace ? ', in a user namespace' : ''}`
}
