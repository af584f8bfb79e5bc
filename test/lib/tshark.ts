// What tshark says of a capture, with all checksums verified.

import { spawnSync } from 'node:child_process'
import { findBinary } from '../../scripts/lib/system.mjs'

/** Bad, as all of tshark's fields for checksums say it. */
const BAD = '0'
export const CHECKSUMS = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6', 'igmp'].map((layer) => `${layer}.checksum.status`)
/** Warnings and errors (PI_WARN, PI_ERROR), and what could not be read at all. */
export const COMPLAINS = '_ws.malformed || _ws.expert.severity >= 6291456'

/** What Wireshark says of any retransmission or lonely echo: about the conversation, and not about the frame. */
const CONVERSATION = ['tcp.analyze_sequence_numbers:FALSE']
const VERIFY = ['ip', 'tcp', 'udp'].map((layer) => `${layer}.check_checksum:TRUE`)

export type Shown = Readonly<Record<string, string>>

/** The fields of each frame in the file; `filter` as in -Y. */
export const shownBy = (file: string, fields: ReadonlyArray<string>, filter = ''): ReadonlyArray<Shown> => {
  const preferences = [...VERIFY, ...CONVERSATION].flatMap((one) => ['-o', one])
  const asked = fields.flatMap((field) => ['-e', field])
  const args = ['-n', '-r', file, ...preferences, '-Y', filter, '-T', 'fields', '-E', 'separator=/t', ...asked]
  const { status, stdout, stderr } = spawnSync(findBinary('tshark') ?? 'tshark', args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => Object.fromEntries(line.split('\t').map((value, i) => [fields[i] ?? '', value])))
}

/** Whether a frame that was shown with `CHECKSUMS` has a bad one, at whatever depth. */
export const hasBadChecksum = (shown: Shown): boolean =>
  CHECKSUMS.some((field) => shown[field]?.split(',').includes(BAD) === true)
