// A kernel on paper: it holds what `after` says (diff.ts), and refuses what cannot be. For laws and simulations of the engine, which must
// hold whatever kernel is below, and for many hosts at once, for it is quick.

import { factsFor, type HostFacts } from '../net/host-facts.ts'
import { hasIn } from '../net/pmap.ts'
import { E, type Either, TE } from '../prelude.ts'
import { after } from './diff.ts'
import type { Kernel, KernelError, Refusal } from './kernel.ts'
import { keyOf } from './object.ts'
import type { KernelOp } from './op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from './state.ts'

export type PaperKernel = Kernel & Readonly<{ state: () => KernelState }>

/** What a real kernel would say no to: creating what is there, touching what is not. */
const impossible = (state: KernelState, op: KernelOp): boolean =>
  hasIn(state, keyOf(op.object)) === (op.verb === 'create')

const unable = (what: string): KernelError => ({ tag: 'KernelUnavailable', what, hint: null })

/** `host`: what it is like beside what is held on it. */
export const paperKernel = (host: HostFacts): PaperKernel => {
  let state = EMPTY_STATE
  // One at a time: who wraps it holds back what follows a refusal.
  const apply = (ops: ReadonlyArray<KernelOp>): Either<ReadonlyArray<Refusal>, void> => {
    const refusals: Refusal[] = []
    ops.forEach((op, at) => {
      if (impossible(state, op)) refusals.push({ at, op, errno: 'EEXIST', detail: null })
      else state = after(state, op)
    })
    return refusals.length === 0 ? E.right(undefined) : E.left(refusals)
  }
  return {
    name: 'sim',
    marksAtOnce: true,
    state: () => state,
    settled: () => Promise.resolve(),
    facts: (question) => TE.right(factsFor(question, host)),
    observe: ({ namespaces, sysctls }) => {
      const places = new Set(namespaces)
      const isAsked = new Set(sysctls.map(({ ns, name }) => `${ns} ${name}`))
      return TE.fromIO(() =>
        stateOf(
          objectsOf(state).filter((object) =>
            object.kind === 'sysctl' ? isAsked.has(`${object.ns} ${object.name}`) : places.has(object.ns),
          ),
        ),
      )
    },
    apply: (ops) => TE.fromIOEither(() => apply(ops)),
    probe: () => TE.left(unable('paper carries no packets')),
    counters: () => TE.left(unable('paper counts no packets')),
  }
}
