// The simulated kernel's control plane as a state machine. That it is Linux's is for test/lockstep/ops.test.ts to say.

import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { born } from '../src/kernel/cascade.ts'
import { after } from '../src/kernel/diff.ts'
import type { Scope } from '../src/kernel/kernel.ts'
import { type KernelObject, keyOf, parentsOf } from '../src/kernel/object.ts'
import type { KernelOp } from '../src/kernel/op.ts'
import { type KernelState, objectsOf } from '../src/kernel/state.ts'
import { draftOf, worldOf } from '../src/kernel-sim/control/draft.ts'
import { applyOp, hostWorld, perform, tryOp } from '../src/kernel-sim/control.ts'
import { applyAll } from '../src/kernel-sim/kernel.ts'
import type { LinkEntry } from '../src/kernel-sim/link-entry.ts'
import { observe } from '../src/kernel-sim/observe.ts'
import { EMPTY_WORLD, namelessAt, type World } from '../src/kernel-sim/state.ts'
import { entriesOf, getIn, hasIn, setIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { NAMESPACES, program, RARE_KINDS, SYSCTLS } from './arbitraries/ops.ts'
import { tame } from './arbitraries/tame.ts'

const SCOPE: Scope = { namespaces: NAMESPACES, sysctls: [] }
const EVERYTHING: Scope = { namespaces: NAMESPACES, sysctls: SYSCTLS }

/** What `after` leaves open: which MAC the other end of a veth is born with, and which MTU the device below has. */
const filledIn = (said: KernelState, op: KernelOp, seen: KernelState): KernelState => {
  const ends = new Set(born(op).map(keyOf))
  return objectsOf(said).reduce((state, ours) => {
    const real = getIn(seen, keyOf(ours))
    if (ours.kind !== 'link' || real?.kind !== 'link') return state
    const mac = ends.has(keyOf(ours)) ? real.mac : ours.mac
    const mtu = ours.mtu === 0 ? real.mtu : ours.mtu
    return mac === ours.mac && mtu === ours.mtu ? state : setIn(state, keyOf(ours), { ...ours, mac, mtu })
  }, said)
}

/** Without the notes that are ours: a sysctl's `otherwise`, and where a namespace was adopted from. */
const facts = (state: KernelState): ReadonlyArray<KernelObject> =>
  objectsOf(state).map((object) => {
    if (object.kind === 'sysctl') return { ...object, otherwise: object.value }
    return object.kind === 'netns' ? { ...object, at: null } : object
  })

const portsOf = (bridge: LinkEntry | undefined): ReadonlyArray<string> =>
  bridge === undefined ? [] : [...entriesOf(bridge.ports)].map(([name]) => name)

/** `after` does not know what is in a namespace without a name, nor that a veth leads there. */
const isOutOfSight = (world: World, there: KernelState, { object }: KernelOp): boolean =>
  object.kind === 'netns'
    ? object.at !== null && hasIn(world.namespaces, namelessAt(object.at))
    : object.kind !== 'link' && parentsOf(object).some((key) => !hasIn(there, key))

/** Sysctls are seen only if they are asked for. */
const scopeOf = ({ object }: KernelOp): Scope => (object.kind === 'sysctl' ? { ...SCOPE, sysctls: [object] } : SCOPE)

const applyInOrder = (world: World, ops: ReadonlyArray<KernelOp>) => {
  const draft = draftOf(world)
  const errnos = ops.map((op) => perform(draft, op))
  return { world: worldOf(draft), errnos }
}

/** Of several parts the first may do something each time, though the last is refused. */
const isSingle = ({ object }: KernelOp): boolean =>
  object.kind !== 'link' && object.kind !== 'port' && object.kind !== 'netns'

describe('an operation on a world', () => {
  test.prop([program(60, RARE_KINDS)])('is answered, whatever it is: nothing throws', (ops) => {
    expect(applyAll(EMPTY_WORLD, ops).world).toBeDefined()
  })

  test.prop([program(60, RARE_KINDS)])(
    'does in a list what it does alone; refused for good, it leaves the very world that was',
    (ops) => {
      let world: World = hostWorld()
      const errnos = ops.map((op) => {
        const result = tryOp(world, op)
        world = result.world
        return result.errno
      })
      const together = applyInOrder(hostWorld(), ops)
      expect(together).toEqual({ world, errnos })
      for (const op of ops) {
        const first = tryOp(world, op)
        const again = tryOp(first.world, op)
        if (first.errno !== null && again.errno === first.errno && isSingle(op)) expect(again.world).toBe(first.world)
      }
    },
  )

  test.prop([program(40, RARE_KINDS)])('has one outcome: equal programs make equal worlds', (ops) => {
    expect(applyAll(EMPTY_WORLD, ops)).toEqual(applyAll(EMPTY_WORLD, structuredClone(ops)))
  })

  test.prop([program(60, RARE_KINDS)])('changes what is observed exactly as `after` says', (ops) => {
    let world: World = EMPTY_WORLD
    for (const op of ops) {
      const there = observe(world, SCOPE)
      const fitting = isOutOfSight(world, there, op) ? null : tame(there, op)
      const result = fitting === null ? null : applyOp(world, fitting)
      if (fitting === null || result === null || E.isLeft(result)) continue
      world = result.right
      const seen = observe(world, scopeOf(fitting))
      const said = filledIn(after(there, fitting), fitting, seen)
      expect({ fitting, state: facts(said) }).toEqual({ fitting, state: facts(seen) })
    }
  })
})

describe('a world', () => {
  test.prop([program(60, RARE_KINDS)])(
    'keeps its books: each end of a veth, port and route is where the other says',
    (ops) => {
      const { world } = applyAll(EMPTY_WORLD, ops)
      for (const space of valuesOf(world.namespaces)) {
        const routes = valuesOf(space.links).flatMap((link) => link.routes.map((key) => [key, link.name] as const))
        for (const [key, dev] of routes) expect(getIn(space.routes, key)?.hops.map((one) => one.dev)).toContain(dev)
        expect(new Set(routes.map(([key]) => key)).size + space.loose.length).toBe(valuesOf(space.routes).length)
        for (const link of valuesOf(space.links)) {
          const { spec, port } = link
          if (spec.type === 'veth') {
            const peer = getIn(world.namespaces, spec.peer.ns)
            const other = peer === undefined ? undefined : getIn(peer.links, spec.peer.name)
            expect(other?.spec).toEqual({ type: 'veth', peer: { ns: space.ns, name: link.name } })
          }
          if (port !== null) expect(portsOf(getIn(space.links, port.bridge))).toContain(link.name)
          for (const name of portsOf(link)) expect(getIn(space.links, name)?.port?.bridge).toBe(link.name)
          const live = link.routes.filter((key) => getIn(space.routes, key)?.type === 'unicast')
          expect(link.up || live.length === 0).toBe(true)
          expect(getIn(space.indexes, String(link.index))).toBe(link.name)
        }
      }
    },
  )

  test.prop([program(40, RARE_KINDS)])('shows what it is asked for, and no more', (ops) => {
    const { world } = applyAll(hostWorld(), ops)
    const all = objectsOf(observe(world, EVERYTHING))
    for (const space of NAMESPACES) {
      const part = observe(world, { namespaces: [space], sysctls: SYSCTLS.filter(({ ns }) => ns === space) })
      expect(objectsOf(part)).toEqual(all.filter((object) => object.ns === space))
    }
  })
})
