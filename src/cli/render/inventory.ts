// Networks and containers as two tables.

import type { ContainerView, NetworkView, PortView } from '../../lab/inventory.ts'
import type { Paint } from '../io.ts'
import { table } from './table.ts'

/** Two lists side by side as rows; the shorter one is filled up. */
const beside = <A, B>(a: ReadonlyArray<A>, b: ReadonlyArray<B>): ReadonlyArray<readonly [A | null, B | null]> =>
  Array.from({ length: Math.max(1, a.length, b.length) }, (_, i) => [a[i] ?? null, b[i] ?? null] as const)

const networkRows = ({ name, driver, internal, subnets }: NetworkView): ReadonlyArray<ReadonlyArray<string>> =>
  beside(subnets, []).map(([pool], i) => [
    i === 0 ? name : '',
    i === 0 ? driver : '',
    pool?.subnet ?? '-',
    pool?.gateway ?? '-',
    i === 0 ? (internal ? 'yes' : 'no') : '',
  ])

/** `8080->80/tcp`, or `127.0.0.1:8080->80/tcp`. */
export const portText = ({ hostIp, hostPort, containerPort, proto }: PortView): string => {
  const at = hostIp === null ? '' : hostIp.includes(':') ? `[${hostIp}]:` : `${hostIp}:`
  return `${at}${hostPort}->${containerPort}/${proto}`
}

const alone = ({ namespace, networks }: ContainerView): string => {
  if (namespace === 'host') return '(the host itself)'
  if (namespace !== 'own') return `(shares ${namespace}'s)`
  return networks.length === 0 ? '(none)' : ''
}

const containerRows = (view: ContainerView): ReadonlyArray<ReadonlyArray<string>> => {
  const shown = view.namespace === 'own' ? view.networks : []
  return beside(shown, view.ports).map(([place, port], i) => [
    i === 0 ? view.name : '',
    place?.network ?? (i === 0 ? alone(view) : ''),
    place?.addresses.join(' ') ?? '',
    place?.mac ?? '',
    place?.interface ?? '',
    port === null ? '' : portText(port),
  ])
}

export const inventory = (
  networks: ReadonlyArray<NetworkView>,
  containers: ReadonlyArray<ContainerView>,
  { bold, dim }: Paint,
): string => {
  const head = (...names: ReadonlyArray<string>): ReadonlyArray<string> => names.map(dim)
  const networkTable =
    networks.length === 0
      ? '  (none)'
      : table([head('NAME', 'DRIVER', 'SUBNET', 'GATEWAY', 'INTERNAL'), ...networks.flatMap(networkRows)])
  return [
    bold('Networks'),
    networkTable,
    '',
    bold('Containers'),
    table([head('NAME', 'NETWORK', 'ADDRESS', 'MAC', 'INTERFACE', 'PUBLISHED'), ...containers.flatMap(containerRows)]),
  ].join('\n')
}
