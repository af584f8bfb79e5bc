// Why the last packet died, and its way there: of all that has happened, what is about that packet. One that was lost here and came by
// elsewhere (copies that bridges make) has not died.

import type { Death, Step } from '../../../kernel-sim/datapath/step.ts'
import { stepText } from '../../../kernel-sim/datapath/words.ts'
import type { Body } from '../../../kernel-sim/wire/body.ts'
import type { Payload } from '../../../kernel-sim/wire/ethernet.ts'
import type { Packet } from '../../../kernel-sim/wire/nested.ts'

const ERROR = 'error'

/** What stays the same of a message, wherever it is and whatever is translated; null: it is no program's. */
const keyOfBody = (body: Body): string | null => {
  switch (body.proto) {
    case 'tcp':
      return `tcp ${body.seq} ${body.ack} ${body.flags}`
    case 'udp':
      return 'tag' in body.payload ? null : `udp ${body.payload.length} ${body.payload.slice(0, 16).join(' ')}`
    case 'icmp':
    case 'icmp6':
      if ('payload' in body) return `${body.type} ${body.seq} ${body.payload.length}`
      return 'about' in body ? `${ERROR} ${body.type} ${keyOf(body.about)}` : null
    case 'head':
      return keyOfBody(body.of)
    case 'raw':
      return `raw ${body.protocol} ${body.bytes.length} ${body.bytes.slice(0, 16).join(' ')}`
    case 'igmp':
      return null
  }
}

const keyOf = (packet: Packet): string | null => {
  const { body } = packet
  if (body.proto === 'udp' && 'tag' in body.payload) return keyOfPayload(body.payload.frame.payload)
  const key = keyOfBody(body)
  const fragment = packet.tag === 'ip4' ? packet : (packet.fragment ?? { offset: 0 })
  return key === null ? null : `${key} ${fragment.offset}`
}

const keyOfPayload = (payload: Payload): string | null =>
  payload.tag === 'ip4' || payload.tag === 'ip6' ? keyOf(payload) : null

const isDeath = (step: Step): step is Death => step.event.tag === 'dropped'
const isTunnelled = ({ payload }: Step): boolean =>
  (payload.tag === 'ip4' || payload.tag === 'ip6') && payload.body.proto === 'udp' && 'tag' in payload.body.payload

/** Of what was delivered, the socket that was to have it may be missing still. */
const isEnd = ({ layer }: Step): boolean => layer === 'transport'

/** Questions for a neighbour on the way, and what became of them. */
const isQuestion = ({ event, payload }: Step): boolean =>
  event.tag === 'asked' || event.tag === 'answered' || (event.tag === 'dropped' && payload.tag === 'arp')

const lineOf = (step: Step, isAlone: boolean): string =>
  `${step.atMs.toFixed(3).padStart(10)} ms  ${isAlone ? '' : `${step.host}: `}${stepText(step)}`

/** Lines, the last of which is the death; null: none has died. `isAlone`: there is one host only. */
export const whyOf = (steps: ReadonlyArray<Step>, isAlone: boolean): ReadonlyArray<string> | null => {
  const keys = steps.map((step) => keyOfPayload(step.payload))
  const delivered = new Set(keys.filter((_, at) => steps[at]?.event.tag === 'delivered'))
  const hasDied = (step: Step, at: number): boolean => {
    const key = keys[at]
    return isDeath(step) && key !== null && key !== undefined && (isEnd(step) || !delivered.has(key))
  }
  // An error is about what has died before, which says more.
  const first = steps.findLastIndex((step, at) => hasDied(step, at) && keys[at]?.startsWith(ERROR) === false)
  const end = first < 0 ? steps.findLastIndex(hasDied) : first
  const key = keys[end]
  if (end < 0 || key === null || key === undefined) return null
  const isSent = (step: Step, at: number): boolean => at < end && step.event.tag === 'sent' && !isTunnelled(step)
  const own = steps.findLastIndex((step, at) => isSent(step, at) && keys[at] === key)
  // An answer that never was sent has the way of the question.
  const from = own < 0 ? steps.findLastIndex(isSent) : own
  const about = new Set([key, from < 0 ? key : keys[from]])
  const way = steps.slice(from < 0 ? end : from, end + 1)
  const isOfIt = (step: Step): boolean => isQuestion(step) || about.has(keyOfPayload(step.payload))
  return way.filter((step, at) => at === way.length - 1 || isOfIt(step)).map((step) => lineOf(step, isAlone))
}
