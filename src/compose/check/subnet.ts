// Subnets of all declared networks: no two overlap. Docker would refuse the second one when it is created.

import { type Cidr, compareCidr, overlaps } from '../../net/cidr.ts'
import { isIp4 } from '../../net/ip.ts'
import type { At } from '../at.ts'
import type { ProjectNetwork } from '../project.ts'
import type { Report } from '../report.ts'

type Claim = Readonly<{ network: string; subnet: Cidr; at: At; order: number }>

const claimsOf = (networks: ReadonlyArray<ProjectNetwork>): Claim[] =>
  networks.flatMap((network) =>
    network.ipam.pools.flatMap(({ subnet, at }) =>
      subnet === null ? [] : [{ network: network.key, subnet, at, order: 0 }],
    ),
  )

/** In order of address, two that overlap are one inside the other, so looking back at the widest one is enough. */
export const checkSubnets = (networks: ReadonlyArray<ProjectNetwork>, report: Report): void => {
  const claims = claimsOf(networks).map((claim, order) => ({ ...claim, order }))
  let widest: Claim | null = null
  for (const claim of claims.toSorted((a, b) => compareCidr(a.subnet, b.subnet) || a.order - b.order)) {
    if (widest === null || !overlaps(widest.subnet, claim.subnet)) {
      widest = claim
      continue
    }
    const [first, second]: readonly [Claim, Claim] = widest.order < claim.order ? [widest, claim] : [claim, widest]
    report.errors.push({
      tag: 'Overlap',
      network: second.network,
      subnet: second.subnet,
      other: first.network,
      otherSubnet: first.subnet,
      first: first.at,
      at: second.at,
    })
  }
}

/** An IPv6 subnet does nothing on a network without IPv6 (Docker leaves it out as well). */
export const noteIdleSubnets = (networks: ReadonlyArray<ProjectNetwork>, report: Report): void => {
  for (const { key, enableIPv4, enableIPv6, ipam } of networks)
    for (const { subnet, at } of ipam.pools) {
      if (subnet === null || (isIp4(subnet.ip) ? enableIPv4 : enableIPv6)) continue
      const family = isIp4(subnet.ip) ? 4 : 6
      report.notes.push({
        at,
        text: `the network "${key}" does not have "enable_ipv${family}: true": this subnet is not used`,
      })
    }
}
