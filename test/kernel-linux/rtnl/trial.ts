// One case tried by both ways of asking: the same answer, which is the one in the table, the same stack afterwards, and in it what
// was asked for.

import { expect, test } from 'vitest'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { Case, Group } from './case.ts'
import { shows } from './shows.ts'
import { buildWorld, H, type Side, settled, sideOf } from './world.ts'

export type Sides = readonly [Side, Side]
export const sidesOf = (what: string): Sides => [sideOf(what, 'netlink'), sideOf(what, 'iproute2')]

const textOf = (request: Request): string => commandOf(request, (ns) => ns).text
export const titleOf = ({ ns, ask, errno, before }: Case): string => {
  const after = before.map((one) => `${textOf({ ns: H, ask: one })}; `).join('')
  return `${after}${ns === H ? '' : `${ns}: `}${textOf({ ns, ask })}: ${errno ?? 'done'}`
}

const tried = async (sides: Sides, { ns, ask, errno, before }: Case): Promise<void> => {
  const answers: Array<string | null> = []
  for (const side of sides) {
    await buildWorld(side)
    await side.build(before.map((one): Request => ({ ns: H, ask: one })))
    answers.push(await side.answer({ ns, ask }))
  }
  expect(answers).toEqual([errno, errno])
  const [one, other] = await settled(sides)
  expect(one).toEqual(other)
  if (errno === null) expect(shows(await sides[0].stacks(), ns, ask), 'the stack shows it').toBe(true)
}

/** A test for each case. */
export const tryAll = (sides: Sides, { what, cases }: Group): void => {
  test.each(cases.map((one) => [`${what}: ${titleOf(one)}`, one] as const))('%s', (_, one) => tried(sides, one))
}
