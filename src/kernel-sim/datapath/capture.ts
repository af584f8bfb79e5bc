// Steps as captures that other programs read: what passed one device, or the whole journey with an interface for each device.
// A frame that a device of a kind without Ethernet headers carries (loopback) has empty MACs, as Linux shows it.

import type { IfName, Ns } from '../../net/name.ts'
import { type Captured, writePcap } from '../wire/pcap.ts'
import { writePcapng } from '../wire/pcapng.ts'
import { encodeFrame } from '../wire/wire.ts'
import type { Step } from './step.ts'

type Seen = Step & Readonly<{ frame: NonNullable<Step['frame']> }>

/** What a packet socket at the device would have had (packet(7)): what it sent, and what it received. */
const isSeen = (step: Step): step is Seen =>
  step.frame !== null && step.dev !== null && (step.event.tag === 'transmitted' || step.event.tag === 'received')

const NS_PER_MS = 1_000_000
const capturedOf = ({ atMs, frame }: Seen): Captured => ({
  timeNs: BigInt(Math.round(atMs * NS_PER_MS)),
  bytes: encodeFrame(frame),
})

/** What passed a device, as pcap. */
export const captureAt = (
  steps: ReadonlyArray<Step>,
  { host, ns, dev }: Readonly<{ host: string; ns: Ns; dev: IfName }>,
): Uint8Array =>
  writePcap(
    steps
      .filter(isSeen)
      .filter((step) => step.host === host && step.ns === ns && step.dev === dev)
      .map(capturedOf),
  )

const nameOf = ({ host, ns, dev }: Step): string => [...(host === '' ? [] : [host]), ns, dev ?? ''].join('/')

/** The whole journey, as pcapng: an interface `host/netns/device` for each device, in the order in which they were first crossed. */
export const captureAll = (steps: ReadonlyArray<Step>): Uint8Array => {
  const seen = steps.filter(isSeen)
  const names = [...new Set(seen.map(nameOf))]
  const ids = new Map(names.map((name, at) => [name, at]))
  return writePcapng({
    interfaces: names.map((name) => ({ name })),
    packets: seen.map((step) => ({
      ...capturedOf(step),
      on: ids.get(nameOf(step)) ?? 0,
      comment: step.event.tag,
    })),
  })
}
