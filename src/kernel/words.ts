// Kernel objects in words, for people; commands are in print.ts. A name tells which object it is and nothing that may differ
// between two of one key.

import { showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { addressText, type KernelObject } from './object.ts'

const at = (object: KernelObject): string => (object.ns === HOST ? 'the host' : object.ns)

/** Which object: `link br-0123 of the host`. */
export const objectName = (object: KernelObject): string => {
  switch (object.kind) {
    case 'netns':
      return `namespace ${object.ns}`
    case 'link':
      return `link ${object.name} of ${at(object)}`
    case 'port':
      return `bridge port ${object.dev} of ${at(object)}`
    case 'address':
      return `address ${addressText(object.cidr)} on ${object.dev} of ${at(object)}`
    case 'route':
      return `route to ${showCidr(object.to)} of ${at(object)}`
    case 'sysctl':
      return `sysctl ${object.name} of ${at(object)}`
    case 'nft-table':
      return `firewall table of ${at(object)}`
    case 'nft-element':
      return `firewall element ${object.key.join(' ')} in ${object.set} of ${at(object)}`
  }
}

/** Which object, and what it says: `sysctl net.ipv4.ip_forward=1 of the host`. */
export const objectText = (object: KernelObject): string => {
  switch (object.kind) {
    case 'address':
      return `address ${showCidr(object.cidr)} on ${object.dev} of ${at(object)}`
    case 'route':
      return `route to ${showCidr(object.to)}${object.via === null ? '' : ` via ${showIp(object.via)}`} of ${at(object)}`
    case 'sysctl':
      return `sysctl ${object.name}=${object.value} of ${at(object)}`
    case 'nft-element':
      return `firewall element ${[...object.key, ...(object.value === null ? [] : [':', ...object.value])].join(' ')} in ${object.set} of ${at(object)}`
    case 'netns':
    case 'link':
    case 'port':
    case 'nft-table':
      return objectName(object)
  }
}
