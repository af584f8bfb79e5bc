// The operations that build a lab's host, told as a story: first what all share, then network after network, then container
// after container. Invariant: the stages applied one after the other give what is wanted, as one diff would.

import type { Engine } from '../engine/engine.ts'
import { diff } from '../kernel/diff.ts'
import { type KernelObject, keyOf } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../kernel/state.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
import type { Owner } from '../model/command.ts'
import type { Model, NetworkId, Sandbox, SandboxId } from '../model/types.ts'
import { HOST } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'

export type Subject = Readonly<{ of: 'host' } | { of: 'network'; id: NetworkId } | { of: 'sandbox'; id: SandboxId }>
export type Stage = Readonly<{ subject: Subject; ops: ReadonlyArray<KernelOp> }>

const keyOfSubject = (subject: Subject): string => (subject.of === 'host' ? 'host' : `${subject.of}/${subject.id}`)

const HOST_SUBJECT: Subject = { of: 'host' }

/** The firewall's table and what is set for the whole host belong to nobody in particular. */
const isShared = (object: KernelObject): boolean =>
  object.kind === 'nft-table' || (object.kind === 'sysctl' && object.ns === HOST && sysctlDevice(object.name) === null)

/** An endpoint's objects are told with the container that joined it. */
const subjectOf = (model: Model, owner: Owner): Subject => {
  if (owner.of !== 'endpoint') return owner
  const sandbox = getIn(model.endpoints, owner.id)?.attachment?.sandbox
  return sandbox === undefined ? HOST_SUBJECT : { of: 'sandbox', id: sandbox }
}

/** Stages without operations are left out. `networks` and `sandboxes` in the order in which they are told. */
export const stagesOf = (
  engine: Engine,
  networks: ReadonlyArray<NetworkId>,
  sandboxes: ReadonlyArray<Sandbox>,
): ReadonlyArray<Stage> => {
  const model = engine.model()
  const parts = new Map<string, KernelObject[]>()
  for (const object of objectsOf(engine.wanted())) {
    const [owner, ...others] = engine.ownersOf(keyOf(object))
    const alone = owner !== undefined && others.length === 0 && !isShared(object)
    const key = keyOfSubject(alone ? subjectOf(model, owner) : HOST_SUBJECT)
    parts.set(key, [...(parts.get(key) ?? []), object])
  }
  const subjects: ReadonlyArray<Subject> = [
    HOST_SUBJECT,
    ...networks.map((id): Subject => ({ of: 'network', id })),
    ...sandboxes.map(({ id }): Subject => ({ of: 'sandbox', id })),
  ]
  let built: ReadonlyArray<KernelObject> = []
  let before = EMPTY_STATE
  return subjects.flatMap((subject) => {
    built = [...built, ...(parts.get(keyOfSubject(subject)) ?? [])]
    const next = stateOf(built)
    const ops = diff(before, next)
    before = next
    return ops.length === 0 ? [] : [{ subject, ops }]
  })
}
