// A program of commands live on a kernel: what was refused, what the host holds beside what it should, and every answer.
// The lockstep tests compare these between the kernels.

import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel, Scope } from '../../src/kernel/kernel.ts'
import { type KernelObject, keyOf, sameObject } from '../../src/kernel/object.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { type Container, placeName } from '../../src/lab/place.ts'
import { findAll, questionsOf } from '../../src/lab/reach.ts'
import { INTERNET, WORLD } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import type { Model } from '../../src/model/types.ts'
import { HOST } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { rightOf } from '../kernel-linux/labs.ts'

const scopeOf = (state: KernelState): Scope => ({
  namespaces: [...new Set([HOST, INTERNET, ...objectsOf(state).map(({ ns }) => ns)])],
  sysctls: [...objectsOf(WORLD), ...objectsOf(state)].flatMap((object) =>
    object.kind === 'sysctl' ? [{ ns: object.ns, name: object.name }] : [],
  ),
})

/** As far as a kernel knows it: where a namespace was adopted from is a note of ours. */
const isAs = (held: KernelObject, object: KernelObject): boolean =>
  object.kind === 'netns' ? held.kind === 'netns' : sameObject(held, object)

/** What differs between what is there and what should be, as facts that print well. */
const differences = (there: KernelState, wanted: ReadonlyArray<KernelState>): ReadonlyArray<unknown> => {
  const should = new Map(wanted.flatMap(objectsOf).map((object) => [keyOf(object), object]))
  const missing = [...should].flatMap(([key, object]) => {
    const held = getIn(there, key)
    return held !== undefined && isAs(held, object) ? [] : [{ key, wanted: object, there: held ?? null }]
  })
  const surplus = objectsOf(there).filter((object) => !should.has(keyOf(object)))
  return [...missing, ...surplus.map((object) => ({ key: keyOf(object), wanted: null, there: object }))]
}

/** Builds the world and the program on a kernel; says what differs from what is wanted, and every answer. */
export const live = async (
  kernel: Kernel,
  commands: ReadonlyArray<Command>,
  containersOf: (model: Model) => ReadonlyArray<Container>,
) => {
  rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
  const engine = freshEngine({ kernel, check: true })
  const answers = await engine.submit(commands)
  const wanted = engine.wanted()
  const there = rightOf(await kernel.observe(scopeOf(wanted))())
  const findings = rightOf(await findAll(kernel, engine.model(), questionsOf(containersOf(engine.model()))))
  return {
    refused: answers.map((answer) => (answer._tag === 'Left' ? answer.left.tag : null)),
    differences: differences(there, [WORLD, wanted]),
    table: findings.map(({ question: { from, to, kind }, reaches, how }) => {
      const what = kind.proto === 'icmp' ? 'icmp' : `${kind.proto}/${kind.port}`
      return `${placeName(from)} -> ${placeName(to)} ${what}: ${reaches ? 'reaches' : (how ?? 'nothing to try')}`
    }),
  }
}
