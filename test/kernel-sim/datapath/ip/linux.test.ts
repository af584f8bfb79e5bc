// Every story of stories.ts on the running kernel and in the simulation: the same accounts.

import { execFileSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { commandOf } from '../../../../src/kernel/rtnl/words.ts'
import type { Account } from '../../../../src/kernel/traffic.ts'
import { removeLab } from '../../../../src/kernel-linux/lab.ts'
import { labNames } from '../../../../src/kernel-linux/names.ts'
import { openTraffic } from '../../../../src/kernel-linux/traffic/traffic.ts'
import { showIp } from '../../../../src/net/ip.ts'
import { labOf, rightOf } from '../../../kernel-linux/labs.ts'
import { needs } from '../../../lib/need.ts'
import { ownLab } from '../../../lib/own-names.ts'
import { attemptIn, worldOf } from './lab.ts'
import { STORIES, type Story } from './stories.ts'

const lab = labOf(ownLab('ip'))
const names = labNames(lab)

/** How long each try is watched; less than a second, after which a neighbour is asked once more. */
const QUIET_MS = 60

/** So that addresses are there at once, and errors are not counted. */
const CALM = [
  'net.ipv6.conf.default.accept_dad=0',
  'net.ipv6.conf.default.dad_transmits=0',
  'net.ipv4.icmp_ratemask=0',
  'net.ipv6.icmp.ratelimit=0',
]

const spacesOf = (requests: Story['requests']) => [...new Set(requests.map(({ ns }) => ns))]

/** Who answers for others shall do so at once. */
const HASTE = 'for f in /proc/sys/net/ipv?/neigh/*/proxy_delay; do echo 0 > $f; done'

const build = ({ requests }: Story): void => {
  for (const request of requests) {
    const { tool, ns, words } = commandOf(request, (space) => names(space) ?? '')
    const real = ns === null ? null : names(ns)
    const own = request.ask.on === 'netns' ? names(request.ns) : null
    if (own !== null) execFileSync('ip', ['netns', 'add', own])
    else execFileSync('ip', ['netns', 'exec', real ?? '', tool, ...words])
    if (own !== null) execFileSync('ip', ['netns', 'exec', own, 'sysctl', '-qw', ...CALM])
  }
  for (const space of spacesOf(requests)) execFileSync('ip', ['netns', 'exec', names(space) ?? '', 'sh', '-c', HASTE])
}

/** An account in a few lines. */
const told = ({ ending, arrivals, answer, crossings }: Account): ReadonlyArray<string> => [
  typeof ending === 'string' ? ending : ending.errno,
  ...arrivals.map(({ ns, from, to, ttl }) => `${ns} hears ${showIp(from)} for ${showIp(to)}, ${ttl} left`).sort(),
  ...(answer === null ? [] : [`answer of ${showIp(answer.from)}, ${answer.ttl} left`]),
  ...crossings.map(({ ns, dev, way, what }) => `${ns} ${dev} ${way} ${what}`),
]

needs.kernel('stories of IP on both kernels', () => {
  afterEach(async () => {
    rightOf(await removeLab(lab))
  })
  test.each(STORIES.map((story) => [story.name, story] as const))('%s', { timeout: 60_000 }, async (_, story) => {
    build(story)
    const traffic = rightOf(openTraffic(names, spacesOf(story.requests), { quietMs: QUIET_MS }))
    let world = worldOf(story.requests)
    try {
      for (const attempt of story.tries) {
        const real = rightOf(await traffic.attempt(attempt))
        const simulated = attemptIn(world, attempt, { forMs: QUIET_MS })
        world = simulated.world
        const title = JSON.stringify({ ...attempt, to: showIp(attempt.to), from: attempt.from && showIp(attempt.from) })
        expect.soft([title, ...told(simulated.account)]).toEqual([title, ...told(real)])
      }
    } finally {
      traffic.close()
    }
  })
})
