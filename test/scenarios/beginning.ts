// What every scenario begins with, on both kernels.

import type { Scenario } from './scenario.ts'

/** Every namespace has its loopback, and addresses that are in use at once; routers forward. */
export const beginning = ({ spaces, routers = [] }: Scenario): ReadonlyArray<string> => [
  ...spaces.map((space) => `ip netns exec ${space} sysctl -qw net.ipv6.conf.default.accept_dad=0`),
  ...spaces.map((space) => `ip -n ${space} link set lo up`),
  ...routers.map((space) => `ip netns exec ${space} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`),
]

/**
 * What the simulation does not have: errors that are rationed (and a limit of none empties the same
 * bucket), questions for routers.
 */
export const alsoOnLinux = ({ spaces }: Scenario): ReadonlyArray<string> =>
  spaces.map(
    (space) =>
      `ip netns exec ${space} sysctl -qw net.ipv4.icmp_ratemask=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.default.router_solicitations=0`,
  )
