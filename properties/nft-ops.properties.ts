// The firewall's operations and nft are two ways to one ruleset: what an operation does is what its text does, and what is observed is
// what Linux's own observation would read from nft's listing, whoever wrote it.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { SKELETON_VERSION } from '../src/kernel/firewall/skeleton.ts'
import { versionChain } from '../src/kernel/firewall/text.ts'
import type { KernelObject } from '../src/kernel/object.ts'
import { keyOf } from '../src/kernel/object.ts'
import type { KernelOp } from '../src/kernel/op.ts'
import { commandsOf } from '../src/kernel/print.ts'
import { objectsOf } from '../src/kernel/state.ts'
import { elementOf, setsOf, tableOf } from '../src/kernel-linux/decode/nft.ts'
import { complaintOf } from '../src/kernel-linux/errno.ts'
import { hostWorld, tryOp } from '../src/kernel-sim/control.ts'
import { observe } from '../src/kernel-sim/observe.ts'
import { nftIn } from '../src/kernel-sim/rulesets.ts'
import type { World } from '../src/kernel-sim/state.ts'
import { HOST } from '../src/net/name.ts'
import { runs } from '../test/lib/runs.ts'
import { firewallOps } from './arbitraries/ops.ts'

const textOf = (op: KernelOp): string =>
  commandsOf(op, (ns) => ns)
    .map(({ text }) => text)
    .join('\n')

const nft = (world: World, script: string, json = false) => {
  const ran = nftIn(world, HOST, script, { file: 'script', json, handles: true })
  if (ran === null) throw new Error('the host is there')
  return ran
}
const listed = (world: World): string => nft(world, 'list ruleset').outcome.stdout

/** What strangers do to our table, or put into a table of their own. */
const strange = fc.constantFrom(
  'add element inet cnm bridges { "br7" comment "mine" }',
  'add element inet cnm masquerade4 { 10.9.0.0-10.9.0.77 }',
  'add element inet cnm masquerade4 { 10.8.0.0-10.8.255.255 }',
  'add element inet cnm publish4_any { udp . 99 : 10.0.0.9 . 9 }',
  'add element inet cnm publish6 { fd00::1 . 17 . 53 : fd00::2 . 53 }',
  'add element inet cnm within { "a" . "b" }',
  'flush set inet cnm subnet4',
  'add chain inet cnm skeleton_7',
  'add chain inet cnm skeleton_x',
  `rename chain inet cnm ${versionChain(SKELETON_VERSION)} skeleton`,
  'add table inet other; add set inet other bridges { type ifname; }; add element inet other bridges { "x" }',
  'delete table inet cnm; add table inet cnm; add set inet cnm bridges { type ipv4_addr; flags interval; }; add element inet cnm bridges { 10.0.0.0/8, 1.2.3.4 }',
  'delete table inet cnm; add table inet cnm; add map inet cnm internal { type ifname : verdict; }; add element inet cnm internal { "x" : drop }',
  'delete table inet cnm; add table inet cnm; add set inet cnm bridges { type ifname; flags timeout; }; add element inet cnm bridges { "x" timeout 1h, "y" }',
)

const readFromListing = (world: World): ReadonlyArray<KernelObject> => {
  const { status, stdout } = nft(world, 'list table inet cnm', true).outcome
  if (status !== 0) return []
  const json: unknown = JSON.parse(stdout)
  const table = tableOf(HOST, json)
  return [
    ...(table === null ? [] : [table]),
    ...setsOf(json).flatMap(({ spec, elem }) => elem.flatMap((entry) => elementOf(HOST, spec, entry))),
  ]
}

const sorted = (objects: ReadonlyArray<KernelObject>): ReadonlyArray<KernelObject> =>
  objects.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
const observed = (world: World): ReadonlyArray<KernelObject> =>
  sorted(
    objectsOf(observe(world, { namespaces: [HOST], sysctls: [] })).filter(
      ({ kind }) => kind === 'nft-table' || kind === 'nft-element',
    ),
  )

describe('the firewall', () => {
  // An operation is refused with the errno that its text is refused with, and leaves the same ruleset, handle by handle.
  test.prop([firewallOps], runs(0.5))('is changed by an operation as by the text that it stands for', (ops) => {
    let [one, other] = [hostWorld(), hostWorld()]
    for (const op of ops) {
      const { world, errno } = tryOp(one, op)
      const { world: after, outcome } = nft(other, textOf(op))
      expect([textOf(op), outcome.status === 0 ? null : complaintOf(outcome.stderr).errno]).toEqual([textOf(op), errno])
      ;[one, other] = [world, after]
    }
    expect(listed(one)).toBe(listed(other))
  })

  // What a stranger's hand has left in the table is told as on Linux.
  test.prop([firewallOps, fc.array(strange, { maxLength: 4 })], runs(0.5))(
    'is observed as nft lists it, also after strangers',
    (ops, scripts) => {
      const built = ops.reduce((world, op) => tryOp(world, op).world, hostWorld())
      const world = scripts.reduce((now, script) => nft(now, script).world, built)
      expect(observed(world)).toEqual(sorted(readFromListing(world)))
    },
  )
})
