// Rules that somebody else has written, beside our own table: traces name them, logs are steps, and what they count is listed.

import { expect, test } from 'vitest'
import { stepText } from '../../../../src/kernel-sim/datapath/words.ts'
import { nftIn } from '../../../../src/kernel-sim/rulesets.ts'
import type { World } from '../../../../src/kernel-sim/state.ts'
import { HOST } from '../../../../src/net/name.ts'
import { topology } from '../../topology.ts'
import { spaceIn, worldOf } from '../../world.ts'
import { attempt, endingOf, reasonOf } from '../attempt.ts'

const nft = (world: World, script: string) => {
  const ran = nftIn(world, HOST, script, { file: 'rules', json: false, handles: false })
  if (ran === null || ran.outcome.status !== 0) throw new Error(ran?.outcome.stderr ?? 'there is no host')
  return ran
}
const built = worldOf(topology)
const withRules = (...rules: ReadonlyArray<string>): World =>
  nft(built, `table ip theirs {\n chain last { type filter hook forward priority 10;\n ${rules.join('\n ')}\n}\n}`)
    .world

test('a rule that drops is named as nft lists it, or by its comment', () => {
  const why = (rule: string): string => reasonOf(attempt(withRules(rule), 'a1', 'icmp', '203.0.113.9'))
  expect(why('icmp type echo-request drop')).toContain('the rule "icmp type echo-request drop" (chain last) drops it')
  expect(why('icmp type echo-request drop comment "no pings"')).toContain('the rule "no pings" (chain last) drops it')
})

test('a policy is named by its chain', () => {
  const world = nft(withRules('iifname "br-a" return'), 'add chain ip theirs last { policy drop; }').world
  expect(reasonOf(attempt(world, 'a1', 'icmp', '203.0.113.9'))).toContain('the policy of chain last drops it')
})

test('what is logged is a step', () => {
  const { trace } = attempt(withRules('log prefix "seen: "'), 'a1', 'icmp', '203.0.113.9')
  const logged = trace.filter(({ event }) => event.tag === 'logged').map((step) => stepText(step))
  expect(logged).toEqual(
    Array(2).fill(
      expect.stringContaining('the rule "log prefix "seen: "" (chain last) writes it to the log as "seen:"'),
    ),
  )
})

test('what packets have counted is there for the next one, and is listed', () => {
  const world = withRules('ip protocol icmp counter')
  const once = attempt(world, 'a1', 'icmp', '203.0.113.9')
  expect(endingOf(once)).toBe('arrived')
  const twice = attempt(once.world, 'a1', 'icmp', '203.0.113.9')
  const counted = (now: World): string => nft(now, 'list table ip theirs').outcome.stdout
  expect(counted(world)).toContain('counter packets 0 bytes 0')
  expect(counted(twice.world)).toContain('counter packets 4 bytes 336')
})

test('a packet that nobody counts leaves the ruleset as it was', () => {
  const { world } = attempt(built, 'a1', 'icmp', '203.0.113.9')
  expect(spaceIn(world, HOST).firewall).toBe(spaceIn(built, HOST).firewall)
})
