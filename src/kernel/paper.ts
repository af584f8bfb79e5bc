// A kernel on paper: it holds what `after` says (diff.ts), and refuses what cannot be. For laws and simulations of the engine, which must
// hold whatever kernel is below, and for many hosts at once, for it is quick.

import { factsFor, type HostFacts } from '../net/host-facts.ts'
import { HOST } from '../net/name.ts'
import { hasIn, removeIn, setIn } from '../net/pmap.ts'
import { E, type Either, TE } from '../prelude.ts'
import { after } from './diff.ts'
import type { Kernel, KernelError, Refusal, Scope } from './kernel.ts'
import { keyOf, type Sysctl } from './object.ts'
import type { KernelOp } from './op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from './state.ts'
import { sysctlDevice } from './sysctl.ts'

export type PaperKernel = Kernel & Readonly<{ state: () => KernelState }>

/** What a real kernel would say no to: creating what is there, touching what is not. */
const impossible = (state: KernelState, op: KernelOp): boolean =>
  hasIn(state, keyOf(op.object)) === (op.verb === 'create')

const isHosts = (object: Pick<Sysctl, 'ns' | 'name'>): boolean =>
  object.ns === HOST && sysctlDevice(object.name) === null

/** A sysctl of the host, which is always there: what is held is where it differs from the host's own value. */
const withSysctl = (state: KernelState, { verb, object }: KernelOp, own: string): KernelState => {
  if (object.kind !== 'sysctl') return state
  const value = verb === 'delete' ? object.otherwise : object.value
  const key = keyOf(object)
  return value === own ? removeIn(state, key) : setIn(state, key, { ...object, value, otherwise: own })
}

const unable = (what: string): KernelError => ({ tag: 'KernelUnavailable', what, hint: null })

/**
 * `host`: what it is like beside what is held on it. `own`: what its sysctls say before anybody sets them; null: they are as any object, and not
 * there before, which is all that laws of the engine alone need.
 */
export const paperKernel = (host: HostFacts, own: string | null = null): PaperKernel => {
  let state = EMPTY_STATE
  // One at a time: who wraps it holds back what follows a refusal.
  const apply = (ops: ReadonlyArray<KernelOp>): Either<ReadonlyArray<Refusal>, void> => {
    const refusals: Refusal[] = []
    ops.forEach((op, at) => {
      const { object } = op
      if (own !== null && object.kind === 'sysctl' && isHosts(object)) state = withSysctl(state, op, own)
      else if (impossible(state, op)) refusals.push({ at, op, errno: 'EEXIST', detail: null })
      else state = after(state, op)
    })
    return refusals.length === 0 ? E.right(undefined) : E.left(refusals)
  }
  const untouched = (asked: Scope['sysctls']): ReadonlyArray<Sysctl> =>
    own === null
      ? []
      : asked.filter(isHosts).map((sysctl) => ({ kind: 'sysctl', ...sysctl, value: own, otherwise: own }))
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
        stateOf([
          ...untouched(sysctls),
          ...objectsOf(state).filter((object) =>
            object.kind === 'sysctl' ? isAsked.has(`${object.ns} ${object.name}`) : places.has(object.ns),
          ),
        ]),
      )
    },
    apply: (ops) => TE.fromIOEither(() => apply(ops)),
    probe: () => TE.left(unable('paper carries no packets')),
    counters: () => TE.left(unable('paper counts no packets')),
  }
}
