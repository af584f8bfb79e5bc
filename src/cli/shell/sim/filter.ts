// Which packets somebody watches who watches a device: what a packet socket there would have (packet(7)), and of that what a filter names.

import { portsOf } from '../../../kernel-sim/datapath/netfilter/tuple.ts'
import type { Step } from '../../../kernel-sim/datapath/step.ts'
import { protocolOf } from '../../../kernel-sim/wire/body.ts'
import type { Payload } from '../../../kernel-sim/wire/ethernet.ts'
import type { Ns } from '../../../net/name.ts'
import type { Filter, Job } from '../../../shell/job.ts'

const NUMBERS = { icmp: 1, icmp6: 58, tcp: 6, udp: 17 } as const

const isOfProto = (payload: Payload, proto: Filter['proto']): boolean => {
  if (proto === null) return true
  if (proto === 'arp') return payload.tag === 'arp'
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return false
  if (proto === 'ip' || proto === 'ip6') return payload.tag === (proto === 'ip' ? 'ip4' : 'ip6')
  return protocolOf(payload.body) === NUMBERS[proto]
}

const endsOf = (payload: Payload) => {
  if (payload.tag === 'arp') return { src: payload.sender, dst: payload.target, ports: null }
  if (payload.tag !== 'ip4' && payload.tag !== 'ip6') return null
  return { src: payload.src, dst: payload.dst, ports: portsOf(payload.body) }
}

const passes = (payload: Payload, { proto, host, src, dst, port }: Filter): boolean => {
  if (!isOfProto(payload, proto)) return false
  const ends = endsOf(payload)
  if (ends === null) return host === null && src === null && dst === null && port === null
  return (
    (host === null || ends.src === host || ends.dst === host) &&
    (src === null || ends.src === src) &&
    (dst === null || ends.dst === dst) &&
    (port === null || ends.ports?.sport === port || ends.ports?.dport === port)
  )
}

type Watching = Readonly<{ host: string; ns: Ns; job: Extract<Job, { does: 'watch' }> }>

/** By whoever watches there. */
export const isMeant = ({ host, ns, job }: Watching, step: Step): boolean => {
  const { event, frame, dev } = step
  const isSeen = event.tag === 'transmitted' || event.tag === 'received'
  if (!isSeen || frame === null || step.host !== host || step.ns !== ns) return false
  return (job.dev === null || dev === job.dev) && passes(step.payload, job.filter)
}
