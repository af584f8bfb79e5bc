// What conntrack makes of the segments of a TCP connection: its table of states. Sequence numbers and windows are not held
// against each other (tcp_in_window, as with nf_conntrack_tcp_be_liberal), so nothing is invalid for being out of its window.
// Source: net/netfilter/nf_conntrack_proto_tcp.c (tcp_conntracks, nf_conntrack_tcp_packet).

import { FLAG } from '../../wire/tcp.ts'

/** `syn-sent2`: a SYN from either side. */
export type TcpState =
  | 'none'
  | 'syn-sent'
  | 'syn-recv'
  | 'established'
  | 'fin-wait'
  | 'close-wait'
  | 'last-ack'
  | 'time-wait'
  | 'close'
  | 'syn-sent2'

const NO: TcpState = 'none'
const SS: TcpState = 'syn-sent'
const SR: TcpState = 'syn-recv'
const ES: TcpState = 'established'
const FW: TcpState = 'fin-wait'
const CW: TcpState = 'close-wait'
const LA: TcpState = 'last-ack'
const TW: TcpState = 'time-wait'
const CL: TcpState = 'close'
const S2: TcpState = 'syn-sent2'
const IV = 'invalid'
const IG = 'ignored'

type Next = TcpState | 'invalid' | 'ignored'
const ORDER: ReadonlyArray<TcpState> = [NO, SS, SR, ES, FW, CW, LA, TW, CL, S2]
const COLUMN = new Map(ORDER.map((state, at) => [state, at]))

export type Segment = 'syn' | 'syn-ack' | 'fin' | 'ack' | 'rst' | 'none'

const TABLE: Readonly<Record<'original' | 'reply', Readonly<Record<Segment, ReadonlyArray<Next>>>>> = {
  original: {
    syn: [SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
    'syn-ack': [IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
    fin: [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    ack: [ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
    rst: [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    none: [IV, IV, IV, IV, IV, IV, IV, IV, IV, IV],
  },
  reply: {
    syn: [IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
    'syn-ack': [IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
    fin: [IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
    ack: [IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
    rst: [IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
    none: [IV, IV, IV, IV, IV, IV, IV, IV, IV, IV],
  },
}

export const segmentOf = (flags: number): Segment => {
  if ((flags & FLAG.RST) !== 0) return 'rst'
  if ((flags & FLAG.SYN) !== 0) return (flags & FLAG.ACK) !== 0 ? 'syn-ack' : 'syn'
  if ((flags & FLAG.FIN) !== 0) return 'fin'
  return (flags & FLAG.ACK) !== 0 ? 'ack' : 'none'
}

export const nextState = (state: TcpState, segment: Segment, isReply: boolean): Next =>
  TABLE[isReply ? 'reply' : 'original'][segment][COLUMN.get(state) ?? 0] ?? IV

const SECOND = 1000
/** nf_conntrack_tcp_timeout_*, in ms. */
export const TCP_TIMEOUTS: Readonly<Record<TcpState, number>> = {
  none: 120 * SECOND,
  'syn-sent': 120 * SECOND,
  'syn-recv': 60 * SECOND,
  established: 432_000 * SECOND,
  'fin-wait': 120 * SECOND,
  'close-wait': 60 * SECOND,
  'last-ack': 30 * SECOND,
  'time-wait': 120 * SECOND,
  close: 10 * SECOND,
  'syn-sent2': 120 * SECOND,
}
/** Of one that was picked up on its way, until there is an answer (nf_conntrack_tcp_timeout_unacknowledged). */
export const UNACKNOWLEDGED = 300 * SECOND
