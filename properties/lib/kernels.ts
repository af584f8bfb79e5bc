// Kernels for laws about the engine, which must hold whatever kernel is below: one on paper, which holds what `after` says,
// and the simulated one. Both can be told to refuse an operation.

import { scopeOf } from '../../src/engine/look.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { type KernelObject, keyOf, type Link } from '../../src/kernel/object.ts'
import { paperKernel as onPaper } from '../../src/kernel/paper.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { applyOp, hostWorld } from '../../src/kernel-sim/control.ts'
import { type Refusing, refusing } from '../../src/kernel-sim/faults.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import { isNameless, type World } from '../../src/kernel-sim/state.ts'
import { UPLINK } from '../../src/lab/world.ts'
import { type HostFacts, NO_FACTS } from '../../src/net/host-facts.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, LO } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'

export type TestKernel = Kernel &
  Refusing &
  Readonly<{
    /** All it holds, but for what a host has anyway; of its sysctls those that `known` names. */
    objects: (known: KernelState) => ReadonlyArray<KernelObject>
  }>

/** Every host has a card. */
const WITH_CARD: HostFacts = { ...NO_FACTS, devices: [{ name: UPLINK, type: null, ours: false }] }

export const paperKernel = (): TestKernel => {
  const kernel = onPaper(WITH_CARD)
  return { ...refusing(kernel), objects: () => objectsOf(kernel.state()) }
}

/** Others have their namespaces, and loopback in them; what else is in one without a name, we have left there. */
const isTheirs = (object: KernelObject): boolean =>
  isNameless(object.ns) && (object.kind === 'netns' || (object.kind === 'link' && object.name === LO))

const everything = (world: World, known: KernelState): ReadonlyArray<KernelObject> => {
  const { sysctls } = scopeOf([known])
  const all = observe(world, { namespaces: valuesOf(world.namespaces).map(({ ns }) => ns), sysctls })
  return objectsOf(all).filter((object) => !isTheirs(object))
}

const CARD: Link = {
  kind: 'link',
  ns: HOST,
  name: UPLINK,
  spec: { type: 'dummy' },
  mac: mac(0x0200000000ca),
  mtu: 1500,
  up: true,
  alias: null,
}

/** A host with a card. */
export const hostWithCard = (): World => {
  const world = applyOp(hostWorld(), { verb: 'create', object: CARD })
  if (E.isLeft(world)) throw new Error(world.left)
  return world.right
}

export const faultySim = (): TestKernel => {
  const kernel = simKernel(hostWithCard())
  const anyway = new Set(everything(hostWithCard(), EMPTY_STATE).map(keyOf))
  return {
    ...refusing(kernel),
    objects: (known) => everything(kernel.world(), known).filter((object) => !anyway.has(keyOf(object))),
  }
}
