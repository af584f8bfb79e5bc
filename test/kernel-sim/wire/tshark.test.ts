// What we write, Wireshark reads: every kind of frame is decoded without a complaint, and shows the fields that it was made of.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBinary } from '../../../scripts/lib/system.mjs'
import { writePcap } from '../../../src/kernel-sim/wire/pcap.ts'
import { writePcapng } from '../../../src/kernel-sim/wire/pcapng.ts'
import { encodeFrame } from '../../../src/kernel-sim/wire/wire.ts'
import { needs } from '../../lib/need.ts'
import { KINDS } from './kinds.ts'

/** Bad, as all of tshark's fields for checksums say it. */
const BAD = '0'
const CHECKSUMS = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6', 'igmp'].map((layer) => `${layer}.checksum.status`)
const COMPLAINTS = ['_ws.malformed', '_ws.expert.message']
/** What Wireshark says of any retransmission or lonely echo: about the conversation, and not about the frame. */
const CONVERSATION = ['tcp.analyze_sequence_numbers:FALSE']
const VERIFY = ['ip', 'tcp', 'udp'].map((layer) => `${layer}.check_checksum:TRUE`)

type Shown = Readonly<Record<string, string>>

/** The fields of each frame in the file; `filter` as in -Y. */
const shownBy = (file: string, fields: ReadonlyArray<string>, filter = ''): ReadonlyArray<Shown> => {
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

const timeNs = (i: number): bigint => 1_700_000_000_000_000_000n + BigInt(i) * 1_000_000_001n
const frames = KINDS.map(({ frame }, i) => ({ timeNs: timeNs(i), bytes: encodeFrame(frame) }))
const fields = [...new Set([...KINDS.flatMap(({ shows }) => Object.keys(shows)), ...CHECKSUMS])]

needs.programs('tshark')('tshark', () => {
  let [folder, pcap, pcapng] = ['', '', '']
  const interfaces = [{ name: 'eth0', description: 'h1' }, { name: 'vxlan42' }]
  let shown: ReadonlyArray<Shown> = []
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-wire-'))
    pcap = join(folder, 'all.pcap')
    pcapng = join(folder, 'all.pcapng')
    writeFileSync(pcap, writePcap(frames))
    const packets = frames.map((frame, i) => ({ ...frame, on: i % 2, comment: KINDS[i]?.what ?? '' }))
    writeFileSync(pcapng, writePcapng({ interfaces, packets }))
    shown = shownBy(pcap, fields)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.for(KINDS.map(({ what, shows }, i) => [what, i, shows] as const))('reads %s', ([, i, shows]) => {
    expect(shown[i]).toMatchObject(shows)
  })

  test('has nothing to complain of', () => {
    const complaints = shownBy(pcap, ['frame.number', ...COMPLAINTS], '_ws.malformed || _ws.expert.severity >= 6291456')
    expect(complaints.map((one) => ({ ...one, what: KINDS[Number(one['frame.number']) - 1]?.what }))).toEqual([])
    const bad = shown.flatMap((one, i) =>
      CHECKSUMS.some((field) => one[field]?.split(',').includes(BAD)) ? [KINDS[i]?.what] : [],
    )
    expect(bad).toEqual([])
  })

  test('complains of a bit that has changed', () => {
    const file = join(folder, 'bad.pcap')
    const changed = frames.map(({ timeNs, bytes }) => ({
      timeNs,
      bytes: bytes.map((byte, i) => (i === 35 ? byte ^ 1 : byte)),
    }))
    writeFileSync(file, writePcap(changed))
    expect(shownBy(file, ['frame.number'], '_ws.expert.severity >= 6291456').length).toBeGreaterThan(KINDS.length / 2)
  })

  describe('a journey', () => {
    test('has a device, a time to the nanosecond and a comment for each frame', () => {
      const hops = shownBy(pcapng, [
        'frame.interface_name',
        'frame.interface_description',
        'frame.time_epoch',
        'frame.comment',
      ])
      expect(hops).toHaveLength(KINDS.length)
      expect(hops.slice(0, 2)).toEqual([
        {
          'frame.interface_name': 'eth0',
          'frame.interface_description': 'h1',
          'frame.time_epoch': '1700000000.000000000',
          'frame.comment': KINDS[0]?.what,
        },
        {
          'frame.interface_name': 'vxlan42',
          'frame.interface_description': '',
          'frame.time_epoch': '1700000001.000000001',
          'frame.comment': KINDS[1]?.what,
        },
      ])
    })

    test('shows the same of every frame', () => {
      expect(shownBy(pcapng, fields)).toEqual(shown)
    })
  })
})
