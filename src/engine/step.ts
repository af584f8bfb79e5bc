// One command's way through the core: decide, evolve, render what changed, unite. Pure, synchronous, total: simulation
// and production share it. A command that is refused leaves everything as it was.

import type { Drivers } from '../drivers/registry.ts'
import { renderAll, renderChanged } from '../drivers/render.ts'
import { keyOf, type ObjectKey } from '../kernel/object.ts'
import { objectName } from '../kernel/words.ts'
import type { Command, Owner } from '../model/command.ts'
import { decide } from '../model/decide.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { evolve } from '../model/evolve.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { getIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { NOTHING_WANTED, replaceFragments, type Wanted, type WantedClash } from './wanted.ts'

export type Core = Readonly<{ model: Model; wanted: Wanted }>

export const FRESH_CORE: Core = { model: freshModel(), wanted: NOTHING_WANTED }

/** An owner in words: `network "front"`. */
export const ownerName = (model: Model, owner: Owner): string => {
  switch (owner.of) {
    case 'network':
      return `network "${getIn(model.networks, owner.id)?.name ?? owner.id}"`
    case 'endpoint':
      return `endpoint "${getIn(model.endpoints, owner.id)?.name ?? owner.id}"`
    case 'sandbox':
      return `sandbox "${getIn(model.sandboxes, owner.id)?.container ?? owner.id}"`
  }
}

const clash = (model: Model, { object, owners }: WantedClash): Either<CnmError, never> =>
  E.left({
    tag: 'Clash',
    key: keyOf(object),
    object: objectName(object),
    owners: owners.map((owner) => ownerName(model, owner)),
  })

/** The core of a model that was loaded. Left: the model asks for the impossible. */
export const coreOf = (drivers: Drivers, model: Model): Either<CnmError, Core> => {
  const whole = replaceFragments(NOTHING_WANTED, renderAll(drivers, model))
  return E.isLeft(whole) ? clash(model, whole.left) : E.right({ model, wanted: whole.right.wanted })
}

/** `touched`: the owners whose inputs changed; `asked`: the objects that are wanted anew or differently. */
export type Step = Readonly<{
  core: Core
  events: ReadonlyArray<CnmEvent>
  touched: ReadonlyArray<Owner>
  asked: ReadonlyArray<ObjectKey>
}>

export const step = (drivers: Drivers, core: Core, command: Command): Either<CnmError, Step> => {
  const events = decide(drivers, core.model, command)
  if (E.isLeft(events)) return events
  const model = events.right.reduce(evolve, core.model)
  const changed = renderChanged(drivers, core.model, model)
  const next = replaceFragments(core.wanted, changed)
  if (E.isLeft(next)) return clash(model, next.left)
  const { wanted, asked } = next.right
  return E.right({ core: { model, wanted }, events: events.right, touched: changed.map(({ owner }) => owner), asked })
}
