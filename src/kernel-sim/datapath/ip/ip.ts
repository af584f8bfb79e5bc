// The IP layer's part of the data path, as it registers with the others.

import type { Ip } from '../../../net/ip.ts'
import { isIp4 } from '../../../net/ip.ts'
import type { Device, Parts } from '../plane.ts'
import { announce4, receiveArp } from './arp.ts'
import { reassemblyDue } from './defrag.ts'
import { sendError } from './errors.ts'
import { announce6 } from './ndisc.ts'
import { neighbourDue, neighbourFacts, output } from './neighbour.ts'
import { receiveIp } from './receive.ts'
import { send, sendPacket } from './send.ts'

/** Tells everybody on a device's link that an address is there (gratuitous ARP, an unsolicited advertisement). */
export const announce = (dev: Device, ip: Ip): void => {
  if (isIp4(ip)) announce4(dev, ip)
  else announce6(dev, ip)
}

export const ipParts: Pick<
  Parts,
  'receiveArp' | 'receiveIp' | 'neighbour' | 'output' | 'send' | 'sendPacket' | 'sendError'
> = {
  receiveArp,
  receiveIp,
  neighbour: neighbourFacts,
  output,
  send,
  sendPacket,
  sendError,
}

export const ipHappenings: Pick<Parts['happen'], 'neighbour' | 'reassembly'> = {
  neighbour: neighbourDue,
  reassembly: reassemblyDue,
}
