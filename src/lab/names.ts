// What people call the things of a lab: the bridge of a network, the cable to a container's interface, whose address it is.
// Devices are known by what the host should hold: a bridge by its alias, a cable by its other end.

import type { Link } from '../kernel/object.ts'
import { type KernelState, objectsOf } from '../kernel/state.ts'
import type { Names } from '../kernel-sim/datapath/words.ts'
import type { Model } from '../model/types.ts'
import { type Ip, showIp } from '../net/ip.ts'
import { HOST, type IfName, type Ns } from '../net/name.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import { HOST_ADDRESS, INTERNET_ADDRESS } from './world.ts'

const ALIAS = /^cnm:network\/([0-9a-f]+)$/

const nameOfLink = (model: Model, link: Link): string | null => {
  if (link.spec.type === 'veth') {
    const { ns, name } = link.spec.peer
    const sandbox = valuesOf(model.sandboxes).find((each) => each.ns === ns)
    return sandbox === undefined ? null : `the cable to ${sandbox.container}'s ${name}`
  }
  const id = ALIAS.exec(link.alias ?? '')?.[1]
  const network = id === undefined ? undefined : valuesOf(model.networks).find((each) => each.id.startsWith(id))
  return network === undefined ? null : `the bridge of "${network.name}"`
}

const deviceNames = (model: Model, wanted: KernelState): ReadonlyMap<IfName, string> => {
  const names = new Map<IfName, string>()
  for (const object of objectsOf(wanted)) {
    if (object.kind !== 'link' || object.ns !== HOST) continue
    const name = nameOfLink(model, object)
    if (name !== null) names.set(object.name, name)
  }
  return names
}

const addressNames = (model: Model): ReadonlyMap<Ip, string> => {
  const names = new Map<Ip, string>()
  for (const { pools } of valuesOf(model.networks))
    for (const { gateway } of pools) if (gateway !== null) names.set(gateway, 'host')
  for (const { attachment, addresses } of valuesOf(model.endpoints)) {
    const sandbox = attachment === null ? undefined : getIn(model.sandboxes, attachment.sandbox)
    if (sandbox !== undefined) for (const { cidr } of addresses) names.set(cidr.ip, sandbox.container)
  }
  for (const ip of Object.values(HOST_ADDRESS)) names.set(ip, 'host')
  for (const ip of Object.values(INTERNET_ADDRESS)) names.set(ip, 'internet')
  return names
}

/** Names for what a model has built; `wanted` is the host as it should be. Addresses read `web 172.18.0.2`. */
export const namesFor = (model: Model, wanted: KernelState): Names => {
  const devices = deviceNames(model, wanted)
  const addresses = addressNames(model)
  const containers = new Map(valuesOf(model.sandboxes).map(({ ns, container }) => [ns, container]))
  return {
    ns: (ns: Ns) => (ns === HOST ? ns : (containers.get(ns) ?? ns)),
    dev: (ns, dev) => (ns === HOST ? (devices.get(dev) ?? dev) : dev),
    ip: (ip) => {
      const name = addresses.get(ip)
      return name === undefined ? showIp(ip) : `${name} ${showIp(ip)}`
    },
  }
}
