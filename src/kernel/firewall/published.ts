// Conversations that a published port has to do with. A kernel asks the firewall about the first packet of each only, so with the
// element of a port it forgets those for which that answer is not true any more; their next packet asks again:
//   deleted: those that came through it, which would be taken to a container that is gone, or to who has its address now;
//   created: those of UDP that went to the host itself there, to no program, and would not find the container.

import { type Family, type Ip, parseIp } from '../../net/ip.ts'
import type { Ns } from '../../net/name.ts'
import { isPort, type Port, TRANSPORTS, type Transport } from '../../net/port.ts'
import { E } from '../../prelude.ts'
import type { NftElement } from '../object.ts'
import type { KernelOp } from '../op.ts'

/** `hostIp` null: any address of the host. */
export type Published = Readonly<{
  family: Family
  hostIp: Ip | null
  hostPort: Port
  transport: Transport
  container: Readonly<{ ip: Ip; port: Port }>
}>

/** How a conversation began, and who answers it. */
export type Conversation = Readonly<{
  proto: number
  to: Readonly<{ ip: Ip; port: number }>
  answers: Readonly<{ ip: Ip; port: number }>
}>

/** Their numbers in IP. */
export const PROTOCOL: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17, sctp: 132 }

const ipIn = (text: string | undefined): Ip | null => {
  const parsed = parseIp(text ?? '')
  return E.isRight(parsed) ? parsed.right : null
}

/** Null: it is an element of another set. */
export const publishedBy = ({ set, key, value }: NftElement): Published | null => {
  const [, digit, any] = /^publish([46])(_any)?$/.exec(set) ?? []
  if (digit === undefined) return null
  const [protocol, ...digits] = any === undefined ? key.slice(1) : key
  const transport = TRANSPORTS.find((one) => one === protocol)
  const [hostPort, containerPort] = [Number(digits[0]), Number(value?.[1])]
  const hostIp = any === undefined ? ipIn(key[0]) : null
  const ip = ipIn(value?.[0])
  if (transport === undefined || ip === null || !isPort(hostPort) || !isPort(containerPort)) return null
  return { family: digit === '4' ? 4 : 6, hostIp, hostPort, transport, container: { ip, port: containerPort } }
}

/** A port that is published or withdrawn. An element is never changed, but deleted and made anew. */
export type PortChange = Readonly<{ ns: Ns; verb: 'create' | 'delete'; port: Published }>

/** Null: an operation that is about no port. */
export const portChangeOf = ({ verb, object }: KernelOp): PortChange | null => {
  const port = object.kind === 'nft-element' ? publishedBy(object) : null
  return port === null || verb === 'change' || (verb === 'create' && port.transport !== 'udp')
    ? null
    : { ns: object.ns, verb, port }
}

/** Whether a conversation is to be forgotten. `isOurs`: whether an address is one of the host. */
export const isStale = (
  { verb, port: { hostIp, hostPort, transport, container } }: PortChange,
  { proto, to, answers }: Conversation,
  isOurs: (ip: Ip) => boolean,
): boolean => {
  if (proto !== PROTOCOL[transport] || to.port !== hostPort || (hostIp !== null && to.ip !== hostIp)) return false
  const [ip, port] = [answers.ip, answers.port]
  return verb === 'delete'
    ? ip === container.ip && port === container.port
    : ip === to.ip && port === to.port && isOurs(ip)
}
