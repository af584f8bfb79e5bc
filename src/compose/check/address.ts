// Addresses that services ask for: in a subnet of their network, not reserved, not the gateway, given to one container.
// Docker: a fixed address needs a subnet of one's own choosing.

import { cidrFamily, contains, firstOf, lastOf, nthOf, sizeOf } from '../../net/cidr.ts'
import { familyOf, type Ip, isIp4, showIp } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import type { At } from '../at.ts'
import type { ProjectAttachment, ProjectContainer, ProjectNetwork, ProjectPool } from '../project.ts'
import type { Report } from '../report.ts'

type Asked = Readonly<{ container: ProjectContainer; network: ProjectNetwork; address: Ip; at: At }>

/** What the pool keeps this address for, or null. Without a gateway in the file the first address is the gateway. */
const reservedFor = ({ subnet, gateway, ipRange, auxAddresses }: ProjectPool, address: Ip): string | null => {
  if (subnet === null) return null
  const small = sizeOf(subnet) <= 2n
  if (!small && address === firstOf(subnet)) return 'the address of the subnet itself'
  if (!small && isIp4(address) && address === lastOf(subnet)) return 'the broadcast address'
  const implied = gateway === null && ipRange === null && !small ? nthOf(subnet, 1n) : gateway
  if (address === implied) return 'the gateway'
  const aux = Object.entries(auxAddresses).find(([, ip]) => ip === address)
  return aux === undefined ? null : `the auxiliary address "${aux[0]}"`
}

const checkAddress = ({ container, network, address, at }: Asked, report: Report): void => {
  const { service } = container
  const family = familyOf(address)
  const key = family === 4 ? 'enable_ipv4' : 'enable_ipv6'
  if (!(family === 4 ? network.enableIPv4 : network.enableIPv6)) {
    report.errors.push({ tag: 'FamilyOff', service, network: network.key, address, key, at })
    return
  }
  // Only its makers know the subnets of an external network.
  if (network.external) return
  const pools = network.ipam.pools.filter(({ subnet }) => subnet !== null && cidrFamily(subnet) === family)
  const subnets = pools.flatMap(({ subnet }) => subnet ?? [])
  if (subnets.length === 0) {
    report.errors.push({ tag: 'NoSubnet', service, network: network.key, address, at })
    return
  }
  const pool = pools.find(({ subnet }) => subnet !== null && contains(subnet, address))
  if (pool === undefined) {
    report.errors.push({ tag: 'AddressOutside', service, network: network.key, address, subnets, at })
    return
  }
  const reason = reservedFor(pool, address)
  if (reason !== null)
    report.errors.push({ tag: 'AddressReserved', service, network: network.key, address, reason, at })
}

type Fixed = Readonly<{ key: string; text: string; ip: Ip | null; at: At }>

const fixedOf = ({ ipv4, ipv6, mac, places }: ProjectAttachment): ReadonlyArray<Fixed> => [
  ...(ipv4 === null ? [] : [{ key: 'ipv4_address', text: showIp(ipv4), ip: ipv4, at: places.ipv4 }]),
  ...(ipv6 === null ? [] : [{ key: 'ipv6_address', text: showIp(ipv6), ip: ipv6, at: places.ipv6 }]),
  ...(mac === null ? [] : [{ key: 'mac_address', text: showMac(mac), ip: null, at: places.mac }]),
]

/** Every replica of a service is looked at once, as its first. */
export const checkAddresses = (
  containers: ReadonlyArray<ProjectContainer>,
  networks: ReadonlyArray<ProjectNetwork>,
  replicas: (service: string) => number,
  report: Report,
): void => {
  const byKey = new Map(networks.map((network) => [network.key, network]))
  const holders = new Map<string, Readonly<{ service: string; at: At }>>()
  for (const container of containers) {
    if (container.mode.tag !== 'networks' || container.replica > 1) continue
    const { service } = container
    for (const attachment of container.mode.attachments) {
      const network = byKey.get(attachment.network)
      if (network === undefined) continue
      for (const { key, text, ip, at } of fixedOf(attachment)) {
        const number = replicas(service)
        if (number > 1) report.errors.push({ tag: 'ReplicasConflict', service, replicas: number, key, at })
        if (ip !== null) checkAddress({ container, network, address: ip, at }, report)
        const slot = `${network.key} ${text}`
        const first = holders.get(slot)
        if (first === undefined) holders.set(slot, { service, at })
        else {
          const other = `the service "${first.service}"`
          const clash = { service, network: network.key, address: text, other, first: first.at, at }
          report.errors.push({ tag: 'AddressTwice', ...clash })
        }
      }
    }
  }
}
