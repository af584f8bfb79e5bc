// What may be wrong with bytes, and the three ways in which reading them ends: a value, a form that has no value here (whoever
// asked keeps the bytes), or an error that names the layer and its place.

import { absurd, E, type Either } from '../../prelude.ts'

export type Layer = 'ethernet' | 'vlan' | 'arp' | 'ip4' | 'ip6' | 'icmp' | 'icmp6' | 'igmp' | 'udp' | 'tcp'
/** `length`: a length in the header contradicts the bytes, or another length. */
export type Reason = 'truncated' | 'version' | 'length' | 'checksum'
/** `at`: where in the bytes the layer begins. */
export type WireError = Readonly<{ layer: Layer; reason: Reason; at: number }>

/** Null: well formed as far as it can be judged, but nothing that our types could write again to the last bit. */
export type Read<A> = Either<WireError, A | null>

export const wrong = (layer: Layer, reason: Reason, at: number): Either<WireError, never> =>
  E.left({ layer, reason, at })

/** There is no value for this. */
export const unknown: Either<never, null> = E.right(null)

const because = (reason: Reason): string => {
  switch (reason) {
    case 'truncated':
      return 'ends within its header'
    case 'version':
      return 'has the version number of another protocol'
    case 'length':
      return 'has a length that contradicts its bytes'
    case 'checksum':
      return 'has a wrong checksum'
    default:
      return absurd(reason, 'because')
  }
}

/** A sentence. */
export const explainWireError = ({ layer, reason, at }: WireError): string =>
  `the ${layer} layer at byte ${at} ${because(reason)}`
