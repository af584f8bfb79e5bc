// Programs of the kernel's own, which a terminal runs by itself where it has them; and the way of the others to the wire.

import type { Context } from '../context.ts'
import { ABSENT_STATUS, type Done, failed, QUIET } from '../done.ts'
import type { Words } from '../match.ts'
import { asking, type Talk } from '../terminal.ts'
import type { Wire } from '../wire.ts'

/** As sh(1) says it. */
export const notFound = (name: string): Done => failed(ABSENT_STATUS, `${name}: command not found`)

/** A program that the terminal has, or has not. */
export function* theirs({ ns, input }: Context, name: string, words: Words): Talk<Done> {
  return (yield* asking((terminal) => terminal.program(ns, { name, words, input }))) ?? notFound(name)
}

/** In the background, what lasts until something happens. */
function* begun({ ns, input }: Context, name: string, words: Words): Talk<Done> {
  const started = yield* asking((terminal) => terminal.start(ns, { name, words, input }, null))
  return typeof started === 'string' ? failed(ABSENT_STATUS, started) : QUIET
}

type Simulated = (context: Context, words: Words, wire: Wire) => Talk<Done>

/** With the wire of the terminal, if it has one, `simulated`; else with the kernel's own program. `lasts`: until something happens. */
export const onWire = (name: string, simulated: Simulated, lasts = false, before: Words = []) =>
  function* (context: Context, words: Words): Talk<Done> {
    const wire = yield* asking((terminal) => terminal.wire())
    if (wire === null && lasts && context.beside) return yield* begun(context, name, [...before, ...words])
    if (wire === null) return yield* theirs(context, name, [...before, ...words])
    yield* asking((terminal) => terminal.begin())
    return yield* simulated(context, words, wire)
  }
