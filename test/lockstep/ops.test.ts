// The simulated and the real kernel, step by step: the same operations, the same errnos, the same state. What Linux draws
// at random (the MAC of a veth's other end) the simulation is told; nothing else passes between them.

import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { NAMESPACES, program, RARE_KINDS, SYSCTLS } from '../../properties/arbitraries/ops.ts'
import { born } from '../../src/kernel/cascade.ts'
import type { Kernel, Scope } from '../../src/kernel/kernel.ts'
import { keyOf, type Link, type ObjectKey } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { linuxKernel } from '../../src/kernel-linux/linux.ts'
import { type Lab, labNames, netnsPath, parseLab } from '../../src/kernel-linux/names.ts'
import { draftOf, linkOf, putLink, spaceOf, worldOf } from '../../src/kernel-sim/control/draft.ts'
import { tryOp } from '../../src/kernel-sim/control.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { TRANSPORTS } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { runs } from '../lib/runs.ts'
import { type Foreign, foreign } from './foreign.ts'
import { settled } from './linkwatch.ts'
import { bareMachine } from './requests/machine.ts'

const SCOPE: Scope = { namespaces: NAMESPACES, sysctls: SYSCTLS }

const lab = (name: string): Lab => {
  const parsed = parseLab(name)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return parsed.right
}

/** What Linux answers to one operation: null, or an errno. */
const answer = async (linux: Kernel, op: KernelOp): Promise<string | null> => {
  const result = await linux.apply([op])()
  if (E.isRight(result)) return null
  if ('tag' in result.left) throw new Error(`${result.left.tag}: ${result.left.what}`)
  return result.left[0]?.errno ?? null
}

const look = async (linux: Kernel): Promise<KernelState> => {
  const result = await linux.observe(SCOPE)()
  if (E.isLeft(result)) throw new Error(result.left.what)
  return result.right
}

const ends = (op: KernelOp): ReadonlyArray<Link> => born(op).filter((object) => object.kind === 'link')

/** Tells the simulation the MACs that Linux gave to what `op` brought along. */
const teach = (world: World, op: KernelOp, there: KernelState): World => {
  const draft = draftOf(world)
  for (const end of ends(op)) {
    const real = getIn(there, keyOf(end))
    const space = spaceOf(draft, end.ns)
    const link = space === null ? null : linkOf(space, end.name)
    if (space !== null && link !== null && real?.kind === 'link') putLink(space, { ...link, mac: real.mac })
  }
  return worldOf(draft)
}

const shown = (state: KernelState): Readonly<Record<ObjectKey, unknown>> =>
  Object.fromEntries(
    objectsOf(state).map((object) => [keyOf(object), object.kind === 'sysctl' ? object.value : object]),
  )

const sentence = (op: KernelOp): string =>
  commandsOf(op, (ns) => ns)
    .map(({ tool, ns, text }) => `${ns ?? ''}# ${tool} ${text.split('\n')[0]}`)
    .join('; ')

/** `places`: where its namespaces are. */
type Real = Readonly<{ linux: Kernel; places: ReadonlyArray<string> }>

const step = async (
  { linux, places }: Real,
  others: Foreign,
  world: World,
  op: KernelOp,
  story: ReadonlyArray<string>,
): Promise<World> => {
  const result = tryOp(world, op)
  const here = await others.here(op)
  const real = await answer(linux, here)
  if (real === null) others.done(here)
  await settled(places)
  expect({ story, errno: result.errno }).toEqual({ story, errno: real })
  const there = await look(linux)
  const next = teach(result.world, op, there)
  expect({ story, ...shown(observe(next, SCOPE)) }).toEqual({ story, ...shown(there) })
  return next
}

/** A bridge whose MTU is refused when it is there already, with its mark. */
const REFUSED_MTU: ReadonlyArray<KernelOp> = [
  { verb: 'create', object: { kind: 'netns', ns: HOST, at: null } },
  {
    verb: 'create',
    object: {
      kind: 'link',
      ns: HOST,
      name: ifName('v0'),
      spec: { type: 'bridge' },
      mac: mac(2 ** 41 + 1),
      mtu: 67,
      up: false,
      alias: 'cnm:b',
    },
  },
]

for (const transport of TRANSPORTS) {
  needs.kernel(`the simulated and the real kernel, through ${transport},`, () => {
    const here = lab(ownLab(`ops-${transport}`))
    const names = labNames(here)
    const linux = linuxKernel({ names, transport })
    const real: Real = { linux, places: NAMESPACES.flatMap((ns) => names(ns) ?? []).map(netnsPath) }
    afterAll(async () => {
      await linux.close()
      await removeLab(here)
    })

    test('answer each operation alike, and hold the same afterwards', { timeout: 600_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(program(25, RARE_KINDS), async (ops) => {
          await removeLab(here)
          const story: string[] = []
          const others = foreign()
          let world = await bareMachine()
          try {
            for (const op of ops) {
              story.push(sentence(op))
              world = await step(real, others, world, op, story)
            }
          } finally {
            await others.end()
          }
        }),
        { ...runs(0.1), examples: [[REFUSED_MTU]] },
      )
    })
  })
}
