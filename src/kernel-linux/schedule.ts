// From a list of commands to few processes: what runs in one batch, and what may run at the same time.
//
// Invariant: two commands that touch one namespace keep their order, unless they are about different devices of one kind
// (links, or bridge ports), or one about devices and the other about the firewall, which the kernel holds apart. A veth touches the namespaces of both ends; deleting a namespace
// touches all, for the other ends of its links go with it. What is on a device touches that, which may carry one only. The commands of one operation are in different stages, so that
// a refused first command can hold back the second: an alias must not land on a stranger's link. For the same reason what
// is done to an object is in a later stage than its creation.

import { boundTo, type KernelObject, keyOf, linkKey, type ObjectKey, parentsOf } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { type Command, commandsOf, type NsNames } from '../kernel/print.ts'
import type { Ns } from '../net/name.ts'

/** One command of the operation at place `at` of the list. */
export type Step = Readonly<{ at: number; op: KernelOp; command: Command }>
/** Commands of one tool in one namespace, in order, for one process. */
export type Batch = Readonly<{ tool: Command['tool']; ns: Ns | null; steps: ReadonlyArray<Step> }>
/** Batches that share nothing and may run at the same time. */
export type Stage = ReadonlyArray<Batch>

/** Who carries out an operation: those two are the same whatever the transport. */
const toolOf = ({ object }: KernelOp): 'ip' | 'nft' | 'sysctl' => {
  switch (object.kind) {
    case 'nft-table':
    case 'nft-element':
      return 'nft'
    case 'sysctl':
      return 'sysctl'
    default:
      return 'ip'
  }
}

const NO_WORDS = ''

/** A change that changes nothing is nothing to do, also where there is no such namespace. */
const isIdle = (op: KernelOp): boolean => op.verb === 'change' && commandsOf(op, (ns) => ns).length === 0

/** One step for each operation, for who needs no words. */
export const wordless = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<Step> =>
  ops.flatMap((op, at) => {
    if (isIdle(op)) return []
    const ns = op.object.kind === 'netns' ? null : op.object.ns
    return [{ at, op, command: { tool: toolOf(op), ns, text: NO_WORDS } }]
  })

/** The commands of `ip` and `bridge`, each as a step; one step for each operation of others. */
export const stepsOf = (ops: ReadonlyArray<KernelOp>, name: NsNames): ReadonlyArray<Step> =>
  wordless(ops).flatMap((step) =>
    step.command.tool === 'ip'
      ? commandsOf(step.op, name).map((command) => ({ at: step.at, op: step.op, command }))
      : [step],
  )

/** What is held apart from all else: a namespace's devices with what is on them, or its firewall, which knows them by name only. */
type Realm = string
const devicesIn = (ns: Ns): Realm => `devices ${ns}`
const firewallIn = (ns: Ns): Realm => `firewall ${ns}`

/** Where in a realm an operation acts. Within one `group`, different lanes commute; null commutes with nothing. */
type Touch = Readonly<{ realm: Realm; group: 'link' | 'port' | null; lane: string }>

const linkTouch = (ns: Ns, name: string): Touch => ({ realm: devicesIn(ns), group: 'link', lane: name })

/** What may be the other ends of veths, as the list would make them: a deletion may be wrong about that, a creation be refused. */
type Ends = Map<ObjectKey, Touch[]>

const noteEnds = (ends: Ends, { verb, object }: KernelOp): void => {
  if (verb !== 'create' || object.kind !== 'link' || object.spec.type !== 'veth') return
  const { peer } = object.spec
  const note = (key: ObjectKey, touch: Touch): void => {
    const known = ends.get(key)
    if (known === undefined) ends.set(key, [touch])
    else known.push(touch)
  }
  note(keyOf(object), linkTouch(peer.ns, peer.name))
  note(linkKey(peer.ns, peer.name), linkTouch(object.ns, object.name))
}

/** Null: everywhere. Only the command that makes or deletes a link (`first` of its operation) touches the other end, or the device below. */
const touchesOf = ({ verb, object }: KernelOp, first: boolean, ends: Ends): ReadonlyArray<Touch> | null => {
  const realm = devicesIn(object.ns)
  const whole: Touch = { realm, group: null, lane: '' }
  switch (object.kind) {
    case 'netns':
      return verb === 'delete' ? null : [whole, { ...whole, realm: firewallIn(object.ns) }]
    case 'nft-table':
    case 'nft-element':
      return [{ ...whole, realm: firewallIn(object.ns) }]
    case 'port':
      return [{ realm, group: 'port', lane: object.dev }]
    case 'link': {
      const own = linkTouch(object.ns, object.name)
      if (verb === 'change' || !first) return [own]
      const { spec } = object
      const other = boundTo(spec)
      const said = other === null ? [] : [linkTouch(other.ns, other.name)]
      const known = verb === 'delete' ? (ends.get(keyOf(object)) ?? []) : []
      return [own, ...said, ...known]
    }
    case 'address':
    case 'route':
    case 'sysctl':
      return [whole]
  }
}

/**
 * What later stages are to wait for. A veth comes with its other end. A table's elements do not wait: they are one transaction with
 * it, so that there is no moment without a firewall, and are held back there (nft/carry-out.ts).
 */
const madeBy = (object: KernelObject): ReadonlyArray<ObjectKey> => {
  if (object.kind === 'nft-table') return []
  return object.kind === 'link' && object.spec.type === 'veth'
    ? [keyOf(object), linkKey(object.spec.peer.ns, object.spec.peer.name)]
    : [keyOf(object)]
}

/** A batch, by its stage and by tool and namespace. */
type Slot = Readonly<{ stage: number; key: string }>
/** What was scheduled in a realm: the last slot of each lane of the present group, and the slots before the group. */
type Past = { group: Touch['group']; before: ReadonlyArray<Slot>; lanes: Map<string, Slot> }

/** Of each batch's slots the last: only that is waited for. */
const lastOf = (slots: ReadonlyArray<Slot>): ReadonlyArray<Slot> => {
  const last = new Map<string, Slot>()
  for (const slot of slots) if (slot.stage >= (last.get(slot.key)?.stage ?? 0)) last.set(slot.key, slot)
  return [...last.values()]
}

const pastOf = (before: ReadonlyArray<Slot>): Past => ({ group: null, before, lanes: new Map() })
const allSlots = (past: Past): ReadonlyArray<Slot> => lastOf([...past.before, ...past.lanes.values()])

const predecessors = (past: Past, touch: Touch): ReadonlyArray<Slot> => {
  if (touch.group === null || touch.group !== past.group) return allSlots(past)
  const lane = past.lanes.get(touch.lane)
  return lane === undefined ? past.before : [lane]
}

const record = (past: Past, touch: Touch, slot: Slot): void => {
  if (touch.group !== past.group || touch.group === null) {
    past.before = touch.group === null ? [slot] : allSlots(past)
    past.lanes = new Map()
    past.group = touch.group
  }
  if (touch.group !== null) past.lanes.set(touch.lane, slot)
}

const keyOfBatch = ({ tool, ns }: Command): string => `${tool} ${ns ?? ''}`

const batchOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Batch> => {
  const first = steps[0]
  return first === undefined ? [] : [{ tool: first.command.tool, ns: first.command.ns, steps }]
}

/** Each batch of a stage has another tool or namespace; the stages are in the order they run. */
export const schedule = (steps: ReadonlyArray<Step>): ReadonlyArray<Stage> => {
  const stages: Array<Map<string, Step[]>> = []
  const pasts = new Map<Realm, Past>()
  const made = new Map<ObjectKey, number>()
  const ends: Ends = new Map()
  let everywhere: ReadonlyArray<Slot> = []
  let previous: Readonly<{ at: number; stage: number }> | null = null

  const pastIn = (realm: Realm): Past => {
    const past = pasts.get(realm) ?? pastOf(everywhere)
    pasts.set(realm, past)
    return past
  }
  for (const step of steps) {
    const key = keyOfBatch(step.command)
    const before: number | null = previous?.at === step.at ? previous.stage : null
    const touches = touchesOf(step.op, before === null, ends)
    noteEnds(ends, step.op)
    const after =
      touches === null
        ? [...everywhere, ...[...pasts.values()].flatMap(allSlots)]
        : touches.flatMap((touch) => predecessors(pastIn(touch.realm), touch))
    let stage: number = before === null ? 0 : before + 1
    for (const slot of after) stage = Math.max(stage, slot.key === key ? slot.stage : slot.stage + 1)
    for (const parent of parentsOf(step.op.object)) stage = Math.max(stage, (made.get(parent) ?? -1) + 1)
    if (step.op.verb === 'create' && before === null) for (const key of madeBy(step.op.object)) made.set(key, stage)

    const slot: Slot = { stage, key }
    if (touches === null) {
      pasts.clear()
      everywhere = [slot]
    }
    for (const touch of touches ?? []) record(pastIn(touch.realm), touch, slot)
    const batches = stages[stage] ?? new Map<string, Step[]>()
    const batch = batches.get(key)
    if (batch === undefined) batches.set(key, [step])
    else batch.push(step)
    stages[stage] = batches
    previous = { at: step.at, stage }
  }
  return stages.map((batches) => [...batches.values()].flatMap(batchOf))
}
