// What a host is made of, as its own tools list it, to be compared before and after: byte for byte, but for clocks and counters.
// And objects of a stranger, of every kind that we use ourselves, to be there all the while.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { findBinary } from '../../scripts/lib/system.mjs'
import { TABLE } from '../../src/kernel/firewall/skeleton.ts'

/** What a program prints in the namespace at a path; null: in the one we are in. */
export const outputIn = (path: string | null, words: ReadonlyArray<string>, input = ''): string => {
  const [file = '', ...args] = path === null ? words : ['nsenter', `--net=${path}`, '--', ...words]
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', input, maxBuffer: 1 << 26 })
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`)
  return stdout
}

const IPTABLES = findBinary('iptables-save') !== null

/** Of a stranger, who names nothing after us: a bridge with a veth on it, a pair that is nobody's port, routes, rules, a firewall. */
const STRANGERS = `
ip link set lo up
ip link add name lan0 alias "a stranger's" address 02:aa:00:00:00:01 type bridge
ip address add 198.51.100.1/24 dev lan0
ip address add fd99::1/64 dev lan0 nodad
ip link set lan0 up
ip link add name host0 address 02:aa:00:00:00:02 type veth peer name peer0 address 02:aa:00:00:00:03
ip link set host0 master lan0 alias "another's" group 7 up
bridge link set dev host0 isolated on
ip address add 192.0.2.9/32 dev host0
ip link set peer0 up
ip link add name free0 type veth peer name free1
ip route add 203.0.113.0/24 via 198.51.100.7 dev lan0 proto static metric 77
ip route add fd98::/64 via fd99::7 dev lan0
ip route add table 99 default dev lan0
ip rule add from 203.0.113.4 lookup 99 priority 4711
sysctl -qw net.ipv4.conf.lan0.rp_filter=2 net.ipv4.tcp_keepalive_time=1234 net.ipv4.conf.lo.forwarding=0
nft -f - <<END
table inet guard {
  set known { type ipv4_addr; flags interval; elements = { 203.0.113.0/24, 198.51.100.7 } }
  chain input {
    type filter hook input priority 5; policy accept;
    ip saddr @known accept comment "a stranger's"
  }
}
table ip cnm {
  map ports { type inet_service : verdict; }
}
add element ip cnm ports { 80 : accept }
END
${IPTABLES ? 'iptables -A INPUT -s 203.0.113.5 -j ACCEPT -m comment --comment "a stranger\'s"' : ''}
`

export const settleStrangers = (path: string): void => {
  outputIn(path, ['sh', '-e'], STRANGERS)
}

const QUIET_MS = 400

/** Whether the kernel is still looking for duplicates of an address. */
const isTentative = (facts: Facts): boolean =>
  Object.values(facts)
    .flat()
    .some((line) => line.includes('"tentative":true'))

/** All of a namespace, once it stays as it is: the kernel makes addresses and their routes some time after a link is up. */
export const factsAtRest = async (path: string): Promise<Facts> => {
  for (let before = factsOf(path); ; ) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const now = factsOf(path)
    if (changes(before, now).length === 0 && !isTentative(now)) return now
    before = now
  }
}

export type Facts = Readonly<Record<string, ReadonlyArray<string>>>

/** What is not the same, as lines that begin with `-` (was there) or `+` (is new). A listing may say a thing twice while others change. */
export const changes = (before: Facts, after: Facts): ReadonlyArray<string> =>
  Object.keys(before).flatMap((kind) => {
    const [was, is] = [before[kind] ?? [], after[kind] ?? []]
    return [
      ...was.filter((line) => !is.includes(line)).map((line) => `- ${kind} ${line}`),
      ...is.filter((line) => !was.includes(line)).map((line) => `+ ${kind} ${line}`),
    ]
  })

type Listed = Readonly<Record<string, unknown>>
/** A cast: what iproute2 prints. */
const listed = (json: string): ReadonlyArray<Listed> => (json.trim() === '' ? [] : JSON.parse(json))

/** Timers of bridges run; how many links a device's queue has seen, too. */
const still = (_: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !name.endsWith('_timer')))
}

const byDevice = (json: string, field: string, devices: ReadonlySet<unknown> | null): ReadonlyArray<string> =>
  listed(json)
    .filter((one) => devices === null || devices.has(one[field]))
    .map((one) => JSON.stringify(one, still))

/** One entry for each table; `of`: the listing's own first line. */
const tables = (ruleset: string): ReadonlyArray<string> =>
  ruleset
    .split(/^(?=table )/m)
    .filter((text) => text.startsWith('table ') && !text.startsWith(`table inet ${TABLE} `))
    .sort()

/** These count, or say how busy the machine is. */
const RESTLESS =
  /^net\.(netfilter\.nf_conntrack_(count|buckets)|core\.netdev_|ipv4\.(tcp|udp)_mem|ipv4\.neigh\..*\.(gc|unres)|netfilter\.nf_log)/

const sysctls = (path: string | null): ReadonlyArray<string> =>
  outputIn(path, ['sysctl', '-ea', '-r', '^net\\.'])
    .split('\n')
    .filter((line) => !RESTLESS.test(line))

const rules = (path: string | null): ReadonlyArray<string> => [
  ...['-4', '-6'].flatMap((family) => outputIn(path, ['ip', family, 'rule']).split('\n')),
]

const iptables = (path: string | null): ReadonlyArray<string> =>
  (IPTABLES ? ['iptables-save', 'ip6tables-save'] : []).flatMap((program) =>
    outputIn(path, [program])
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/\[\d+:\d+\]/, '')),
  )

/**
 * All of a namespace but our table. With `devices`: only what is about them and about no device, and without what the kernel itself
 * does everywhere when a host begins to route.
 */
export const factsOf = (path: string | null, devices: ReadonlySet<string> | null = null): Facts => {
  const own = (line: string): boolean => {
    const [, device] = /^net\.ipv[46]\.(?:conf|neigh)\.([^ ]+)\.[a-z0-9_]+ =/.exec(line) ?? []
    return devices === null || device === undefined || devices.has(device)
  }
  const switches = /^net\.(ipv4\.ip_forward|ipv[46]\.conf\..*\.forwarding) /
  return {
    links: byDevice(outputIn(path, ['ip', '-j', '-d', 'address', 'show']), 'ifname', devices),
    ports: byDevice(outputIn(path, ['bridge', '-j', '-d', 'link', 'show']), 'ifname', devices),
    routes: ['-4', '-6'].flatMap((family) =>
      byDevice(outputIn(path, ['ip', family, '-j', '-d', 'route', 'show', 'table', 'all']), 'dev', devices).filter(
        (route) => devices === null || !route.includes('"type":"anycast"'),
      ),
    ),
    rules: rules(path),
    tables: tables(outputIn(path, ['nft', 'list', 'ruleset'])),
    iptables: iptables(path),
    sysctls: sysctls(path).filter((line) => own(line) && (devices === null || !switches.test(line))),
  }
}

/** Links that are unfinished, or to be deleted, are in groups of these numbers (src/kernel-linux/netlink/groups.ts). */
const isInBetween = (group: number): boolean => group >>> 16 === 0x636d || group >>> 16 === 0x636e

/** Names of all devices, and of those that are in a group for a while. */
export const devicesIn = (path: string): Readonly<{ all: ReadonlyArray<string>; inBetween: ReadonlyArray<string> }> => {
  const links = listed(outputIn(path, ['ip', '-j', 'link', 'show']))
  const names = (some: ReadonlyArray<Listed>): ReadonlyArray<string> =>
    some.map((link) => String(link['ifname'])).sort()
  return { all: names(links), inBetween: names(links.filter((link) => isInBetween(Number(link['group'])))) }
}

const OURS = 'cnm-'
const NETNS_DIR = '/run/netns'

/** The machine outside our namespaces. Others may be at work in theirs. */
export const machineFacts = (): Facts => ({
  ...factsOf(null),
  namespaces: (existsSync(NETNS_DIR) ? readdirSync(NETNS_DIR) : []).filter((name) => !name.startsWith(OURS)).sort(),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => !line.includes(` ${NETNS_DIR}/${OURS}`)),
})
