// Stories from seeds nobody has chosen, each told here and where there is nothing of Node's: the same bytes. `npm run seeds` tells many.

import { beforeAll, describe, expect, test } from 'vitest'
import { differenceOf, type Teller, tellerElsewhere } from '../../../scripts/lib/stories.mjs'
import type { Step } from '../../../src/kernel-sim/datapath/step.ts'
import { storyOf } from './stories/story.ts'

const SEEDS = 20
const first = Number(process.env['CNM_SEED'] ?? 1) >>> 0
const seeds = Array.from({ length: SEEDS }, (_, n) => (first + n) >>> 0)

/** What a step's packet is, by the outermost thing that one would name it after. */
const kindOf = ({ payload, frame }: Step): string => {
  if (payload.tag === 'arp' || payload.tag === 'raw') return payload.tag
  if (frame !== null && frame.tags.length > 0) return '802.1Q'
  const isPiece = payload.tag === 'ip4' ? payload.mf || payload.offset > 0 : payload.fragment !== null
  if (isPiece) return `${payload.tag} fragment`
  const { body } = payload
  return `${payload.tag} ${body.proto === 'udp' && 'tag' in body.payload ? 'vxlan' : body.proto}`
}

describe(`${SEEDS} stories from seed ${first} on`, () => {
  let elsewhere: Teller = storyOf
  beforeAll(async () => {
    elsewhere = await tellerElsewhere()
  })

  test('are told without Node as they are here, to the last byte', () => {
    for (const seed of seeds) expect(differenceOf(storyOf(seed), elsewhere(seed)), `seed ${seed}`).toBeNull()
  }, 60_000)

  test('are different ones', () => {
    expect(differenceOf(storyOf(first), elsewhere(first + 1))).not.toBeNull()
  })
})

test('stories have packets of all kinds in them', () => {
  const kinds = new Set(Array.from({ length: 12 }, (_, n) => storyOf(n + 1).steps.map(kindOf)).flat())
  const all = ['arp', '802.1Q', 'ip4 fragment', 'ip6 fragment', 'ip4 vxlan', 'ip6 vxlan']
  const bodies = ['ip4 icmp', 'ip6 icmp6', 'ip4 udp', 'ip6 udp', 'ip4 tcp', 'ip6 tcp']
  expect([...kinds]).toEqual(expect.arrayContaining([...all, ...bodies]))
})
