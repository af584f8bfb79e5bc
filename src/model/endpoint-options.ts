// What an endpoint can be given as driver options, in Docker's spelling: the name of its interface inside, and sysctls of it.

import { E, type Either } from '../prelude.ts'
import { ENDPOINT_SYSCTL, SYSCTL_VALUE } from './decide/endpoint.ts'
import type { Texts } from './types.ts'

export const IFNAME = 'com.docker.network.endpoint.ifname'
export const SYSCTLS = 'com.docker.network.endpoint.sysctls'
export const ENDPOINT_OPTIONS: ReadonlyArray<string> = [IFNAME, SYSCTLS]

/** Reads `net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.forwarding=0`. Left: a clause. */
export const parseSysctls = (text: string): Either<string, Texts> => {
  const values: Record<string, string> = {}
  for (const part of text.split(',')) {
    const [name = '', value] = part.split(/=(.*)/s)
    if (!ENDPOINT_SYSCTL.test(name))
      return E.left(`"${name}" is not a sysctl of an interface, such as net.ipv4.conf.IFNAME.log_martians`)
    if (value === undefined || !SYSCTL_VALUE.test(value)) return E.left(`"${part}" is not NAME=VALUE`)
    values[name] = value
  }
  return E.right(values)
}
