// While packets are tried, the kernel says everything, and at once: errors are not rationed, who answers for others does not wait for
// a while by chance, and what a bridge forwards does not meet the hooks of IP (br_netfilter). The simulation is so from the start.
// Source: Documentation/networking/ip-sysctl.rst.

import { readdirSync, writeFileSync } from 'node:fs'
import type { NetlinkError } from '../../../src/kernel-linux/netlink/error.ts'
import type { Libc } from '../../../src/kernel-linux/netlink/libc.ts'
import { within } from '../../../src/kernel-linux/netlink/thread.ts'
import type { Either } from '../../../src/prelude.ts'

const SYSCTLS = '/proc/sys'

/** Sysctls that are 0 then. */
export const UNRATIONED: ReadonlyArray<string> = ['net.ipv4.icmp_ratemask', 'net.ipv6.icmp.ratelimit']
/** Not there without the module. */
const BRIDGED: ReadonlyArray<string> = ['iptables', 'ip6tables', 'arptables'].map(
  (of) => `net/bridge/bridge-nf-call-${of}`,
)

const zero = (file: string): void => writeFileSync(`${SYSCTLS}/${file}`, '0\n')
/** Null: there is no such file. */
const ifThere = <A>(use: () => A): A | null => {
  try {
    return use()
  } catch (error) {
    // What Node throws has a code.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return null
  }
}
/** The devices with neighbours of a family, of which there may be none. */
const devicesOf = (family: string): ReadonlyArray<string> =>
  ifThere(() => readdirSync(`${SYSCTLS}/net/${family}/neigh`)) ?? []

/** In the namespace that is open as `fd`. Of devices, those that are there. */
export const unbind = (libc: Libc, fd: number): Either<NetlinkError, void> =>
  within(libc, fd, () => {
    for (const name of UNRATIONED) zero(name.replaceAll('.', '/'))
    for (const file of BRIDGED) ifThere(() => zero(file))
    for (const family of ['ipv4', 'ipv6'])
      for (const dev of devicesOf(family)) ifThere(() => zero(`net/${family}/neigh/${dev}/proxy_delay`))
  })
