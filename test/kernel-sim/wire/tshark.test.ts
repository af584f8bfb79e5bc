// What we write, Wireshark reads: every kind of frame is decoded without a complaint, and shows the fields that it was made of.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writePcap } from '../../../src/kernel-sim/wire/pcap.ts'
import { writePcapng } from '../../../src/kernel-sim/wire/pcapng.ts'
import { encodeFrame } from '../../../src/kernel-sim/wire/wire.ts'
import { needs } from '../../lib/need.ts'
import { CHECKSUMS, COMPLAINS, hasBadChecksum, type Shown, shownBy } from '../../lib/tshark.ts'
import { KINDS } from './kinds.ts'

const COMPLAINTS = ['_ws.malformed', '_ws.expert.message']

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
    const complaints = shownBy(pcap, ['frame.number', ...COMPLAINTS], COMPLAINS)
    expect(complaints.map((one) => ({ ...one, what: KINDS[Number(one['frame.number']) - 1]?.what }))).toEqual([])
    const bad = shown.flatMap((one, i) => (hasBadChecksum(one) ? [KINDS[i]?.what] : []))
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
