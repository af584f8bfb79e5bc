// A picture of what a kernel holds, in text: namespaces, their devices with addresses, what is plugged into which bridge, where the
// other end of a cable is, and which way leads out.

import { isStacked, type KernelObject, type Link, type LinkSpec } from '../kernel/object.ts'
import { type KernelState, objectsOf } from '../kernel/state.ts'
import { cidrFamily, showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { HOST, LO, type Ns } from '../net/name.ts'

type Of<K extends KernelObject['kind']> = Extract<KernelObject, { kind: K }>

const ofKind = <K extends KernelObject['kind']>(objects: ReadonlyArray<KernelObject>, kind: K): ReadonlyArray<Of<K>> =>
  objects.filter((object): object is Of<K> => object.kind === kind)

/** What a device is, where its kind says more than its name. */
const kindOf = (spec: LinkSpec): string => {
  switch (spec.type) {
    case 'loopback':
    case 'veth':
      return ''
    case 'bridge':
    case 'dummy':
      return spec.type
    case 'vlan':
      return `VLAN ${spec.id}`
    case 'macvlan':
      return `macvlan ${spec.mode}`
    case 'ipvlan':
      return `ipvlan ${spec.mode}${spec.flag === 'bridge' ? '' : ` ${spec.flag}`}`
  }
}

const placeIn = (here: Ns, { ns, name }: Readonly<{ ns: Ns; name: string }>): string =>
  ns === here ? name : `${name} of ${ns}`

/** Where else a device leads. */
const towards = ({ ns, spec }: Link): string => {
  if (spec.type === 'veth') return `<-> ${placeIn(ns, spec.peer)}`
  return isStacked(spec) ? `on ${placeIn(ns, spec.below)}` : ''
}

const wayOut = (routes: ReadonlyArray<Of<'route'>>): ReadonlyArray<string> =>
  routes
    .filter(({ to }) => to.bits === 0)
    .map(({ to, via }) => `IPv${cidrFamily(to)} leaves ${via === null ? 'by it' : `by ${showIp(via)}`}`)

/** One device in a line, and below it those that are plugged into it. */
const deviceLines = (objects: ReadonlyArray<KernelObject>, link: Link, indent: string): ReadonlyArray<string> => {
  const { ns, name, spec } = link
  const isOn = (object: Readonly<{ ns: Ns; dev: string }>): boolean => object.ns === ns && object.dev === name
  const addresses = ofKind(objects, 'address')
    .filter(isOn)
    .map(({ cidr }) => showCidr(cidr))
  const words = [kindOf(spec), towards(link), addresses.join(' '), ...wayOut(ofKind(objects, 'route').filter(isOn))]
  const ports = ofKind(objects, 'port').filter((port) => port.ns === ns && port.bridge === name)
  const plugged = ofKind(objects, 'link').filter((each) => each.ns === ns && ports.some(({ dev }) => dev === each.name))
  return [
    `${indent}${name}${link.up ? '' : ' (down)'}  ${words.filter((word) => word !== '').join(', ')}`.trimEnd(),
    ...plugged.flatMap((each) => deviceLines(objects, each, `${indent}  `)),
  ]
}

/** Namespaces from the host on, in the order of their names; loopback is everywhere and not shown. */
export const pictureOf = (state: KernelState): ReadonlyArray<string> => {
  const objects = objectsOf(state)
  const ports = ofKind(objects, 'port')
  const spaces = ofKind(objects, 'netns')
    .map(({ ns }) => ns)
    .toSorted((a, b) => Number(b === HOST) - Number(a === HOST) || (a < b ? -1 : 1))
  return spaces.flatMap((ns) => {
    const links = ofKind(objects, 'link').filter(
      (link) => link.ns === ns && link.name !== LO && !ports.some((port) => port.ns === ns && port.dev === link.name),
    )
    return [ns, ...links.flatMap((link) => deviceLines(objects, link, '  '))]
  })
}
