// How often a sender is told something, by tries that follow each other at once. What a try takes is 120 ms where nothing is answered, and 3 ms
// where it is. The same was seen on Linux 6.18, with tcpdump where both families are named.

import { expect, test } from 'vitest'
import type { Try } from '../../../../src/kernel/traffic.ts'
import { runTry } from '../../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../../src/kernel-sim/datapath/wired.ts'
import { EMPTY_WORLD } from '../../../../src/kernel-sim/state.ts'
import { NOWHERE, REDIRECTED, ROUTED } from '../../../lockstep/requests/found-peers.ts'
import { caseOfFound } from '../../../lockstep/requests/found-traffic.ts'
import { askQuietly } from '../../../lockstep/requests/quiet.ts'
import { ping } from '../../../scenarios/scenario.ts'

/** What the router tells of each of these, in order. */
const toldOf = (...tries: ReadonlyArray<Try>): ReadonlyArray<string> => {
  const { program } = caseOfFound({ ...ROUTED, attempt: NOWHERE })
  let world = program.reduce((now, request) => askQuietly(now, request).world, EMPTY_WORLD)
  return tries.map((attempt) => {
    const tried = runTry(PARTS, world, attempt)
    world = tried.world
    const told = tried.steps.flatMap(({ ns, event, payload }) =>
      ns === 'h' && event.tag === 'transmitted' && 'body' in payload && 'type' in payload.body
        ? [payload.body.type]
        : [],
    )
    return told.find((type) => type === 'redirect' || type === 'unreachable') ?? 'nothing'
  })
}
const times = (n: number, one: Try): ReadonlyArray<Try> => Array.from({ length: n }, () => one)
const [REDIRECTED6, NOWHERE6] = [ping('c', 'fd00::7'), ping('c', 'fd09::1')]

test('five errors are told at once, and a sixth a second later', () => {
  expect(toldOf(...times(6, NOWHERE))).toEqual([...times(5, NOWHERE).map(() => 'unreachable'), 'nothing'])
})

test('redirects are told after twice as long each time', () => {
  expect(toldOf(...times(5, REDIRECTED))).toEqual(['redirect', 'redirect', 'redirect', 'nothing', 'redirect'])
})

test('with the first redirect no errors are left', () => {
  expect(toldOf(NOWHERE, REDIRECTED, NOWHERE)).toEqual(['unreachable', 'redirect', 'unreachable'])
  expect(toldOf(REDIRECTED, NOWHERE)).toEqual(['redirect', 'nothing'])
})

test('of IPv6 six redirects are told at once', () => {
  expect(toldOf(...times(7, REDIRECTED6)).filter((told) => told === 'redirect')).toHaveLength(6)
})

test('of IPv6 every error is told, and none of the redirects is left then', () => {
  expect(toldOf(...times(7, NOWHERE6))).toEqual(times(7, NOWHERE6).map(() => 'unreachable'))
  expect(toldOf(REDIRECTED6, NOWHERE6, REDIRECTED6)).toEqual(['redirect', 'unreachable', 'nothing'])
})
