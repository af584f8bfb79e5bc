// What two programs wrote, made comparable: MACs that were drawn at random and what follows from them, the order in which the kernel's
// hash tables give what it holds, and what no stack holds (docs/shell.md lists it).

const MAC = /\b(?:[0-9a-f]{1,2}:){5}[0-9a-f]{1,2}\b/g
const LINK_LOCAL = /\bfe80::[0-9a-f:]+/g

/** Of `-d`: the limits of drivers and their queues, timers, and what of a bridge and its ports cannot be asked for. */
const NOT_HELD = [
  / allmulti \d+ minmtu \d+ maxmtu \d+/g,
  / ?numtxqueues \d+ numrxqueues \d+ gso_max_size \d+ gso_max_segs \d+ tso_max_size \d+ tso_max_segs \d+ gro_max_size \d+ ?/g,
  / forward_delay \d+ hello_time \d+ max_age \d+/g,
  / designated_root \S+ root_port.*?gc_timer +[\d.]+/g,
  / vlan_protocol \S+/g,
  / vlan_default_pvid \d+/g,
  / (vlan_stats_enabled|vlan_stats_per_port) \d+/g,
  / group_fwd_mask \d+ group_address \S+/g,
  / no_linklocal_learn \d.*?nf_call_arptables \d+/g,
  / port_id \S+ port_no.*?proxy_arp_wifi (on|off)/g,
  / mcast_router \d( mcast_fast_leave (on|off))?/g,
  / mcast_to_unicast (on|off)/g,
  / group_fwd_mask \d+ group_fwd_mask_str \S+/g,
  / vlan_tunnel (on|off)/g,
  / srcport \d+ \d+/g,
  / bcqueuelen \d+ usedbcqueuelen \d+/g,
]

/** Of the same, in JSON. */
const KEYS_NOT_HELD = new Set(
  `allmulti min_mtu max_mtu num_tx_queues num_rx_queues gso_max_size gso_max_segs tso_max_size tso_max_segs gro_max_size
forward_delay hello_time max_age root_id root_port root_path_cost topology_change topology_change_detected hello_timer tcn_timer
topology_change_timer gc_timer group_fwd_mask group_fwd_mask_str group_addr no_linklocal_learn mcast_vlan_snooping mcast_router
mcast_query_use_ifaddr mcast_querier mcast_hash_elasticity mcast_hash_max mcast_last_member_cnt mcast_startup_query_cnt
mcast_last_member_intvl mcast_membership_intvl mcast_querier_intvl mcast_query_intvl mcast_query_response_intvl
mcast_startup_query_intvl mcast_stats_enabled mcast_igmp_version mcast_mld_version nf_call_iptables nf_call_ip6tables
nf_call_arptables vlan_protocol vlan_default_pvid vlan_stats_enabled vlan_stats_per_port id no designated_port designated_cost
hold_timer message_age_timer forward_delay_timer topology_change_ack config_pending proxy_arp proxy_arp_wifi multicast_router
mcast_to_unicast vlan_tunnel mcast_fast_leave port_range df bcqueuelen usedbcqueuelen`.split(/\s+/),
)
/** An identity of a port, not of a VLAN or a VXLAN; the designated bridge of a port is none of what is held. */
const OF_PORT = 'info_slave_data'

const without = (value: unknown, inPort = false): unknown => {
  if (Array.isArray(value)) return value.map((item) => without(item, inPort))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !(key === 'id' ? inPort : KEYS_NOT_HELD.has(key) || (inPort && key === 'bridge_id')))
      .map(([key, part]) => [key, without(part, inPort || key === OF_PORT)]),
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Whose order is the kernel's hash tables', or the devices' among the routes that IPv6 makes by itself. */
const UNORDERED = /\b(fdb|n|neigh|neighbour|netns)\b|-6.* ro?u?t?e?\b|table all/
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const sorted = (value: unknown): unknown =>
  Array.isArray(value) ? [...value].sort((a, b) => byText(JSON.stringify(a), JSON.stringify(b))) : value

/** `random`: MACs were drawn, so that one is as good as another. */
export const comparable = (line: string, stdout: string, random: boolean): unknown => {
  const text = random ? stdout.replace(MAC, 'MAC').replace(LINK_LOCAL, 'LINK-LOCAL') : stdout
  const json = parsed(text)
  if (json !== null) return UNORDERED.test(line) ? sorted(without(json)) : without(json)
  const held = NOT_HELD.reduce((words, pattern) => words.replace(pattern, ''), text)
  const lines = held.split('\n').map((each) => each.replace(/ +/g, ' ').trimEnd())
  return UNORDERED.test(line) && !line.includes('-p') ? lines.sort(byText) : lines
}
