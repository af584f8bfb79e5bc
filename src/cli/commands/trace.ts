// cnm trace: one packet's journey there and back, on the simulated kernel.

import { type Names, stepText } from '../../kernel-sim/datapath/words.ts'
import { approachAddress, placeAt } from '../../lab/address.ts'
import { adviceFor } from '../../lab/advice.ts'
import type { Kind } from '../../lab/approach.ts'
import { placesNamed } from '../../lab/expect.ts'
import { type Journey, journeyOf, travel } from '../../lab/journey.ts'
import type { Lab } from '../../lab/lab.ts'
import { HOST_PLACE, type Place, placeName } from '../../lab/place.ts'
import { showIp } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { type Problem, problem } from '../problem.ts'
import { journeyText } from '../render/journey.ts'
import { jsonText } from '../render/json.ts'
import { type Simulation, simulate } from '../simulation.ts'
import { labPlanOf, readSource, type Source } from '../source.ts'
import { kindText, parseTarget, parseWho, type Target, type Who } from '../target.ts'

export type TraceOptions = Source & Readonly<{ from: string; to: string; json: boolean }>

const nobody = (lab: Lab, what: string): Either<Problem, never> => {
  const known = [...lab.containers.map(({ name }) => name), 'host', 'internet']
  return problem(
    EXIT.wrong,
    `there is no ${what} in this file; known: ${known.join(', ')}, or an address of one of them`,
  )
}

/** Of several replicas the first. */
const placeOf = (lab: Lab, who: Who, asker: Place): Either<Problem, Place> => {
  if (who.tag === 'name') {
    const [place] = placesNamed(lab.containers, who.name)
    return place === undefined ? nobody(lab, `service or container "${who.name}"`) : E.right(place)
  }
  const place = placeAt(lab.engine.model(), lab.containers, who.ip, asker)
  return place === null ? nobody(lab, `container with the address ${showIp(who.ip)}`) : E.right(place)
}

type Told = Readonly<{ title: string; journey: Journey; advice: string | null }>

const toPlace = ({ lab, built, names }: Simulation, from: Place, to: Place, kind: Kind): Told => {
  const model = lab.engine.model()
  const question = { from, to, kind }
  return {
    title: `${placeName(from)} to ${placeName(to)}`,
    journey: journeyOf(built, model, question, names),
    advice: adviceFor(model, question),
  }
}

const tell = (simulation: Simulation, from: Place, { who, kind }: Target): Either<Problem, Told> => {
  const { lab, built, names } = simulation
  if (who.tag === 'name') {
    const to = placeOf(lab, who, from)
    if (E.isLeft(to)) return to
    if (to.right === from)
      return problem(EXIT.wrong, `${placeName(from)} cannot be both ends; ask for 127.0.0.1 instead`)
    return E.right(toPlace(simulation, from, to.right, kind))
  }
  const model = lab.engine.model()
  const journey = travel(built, approachAddress(model, lab.containers, from, who.ip, kind), names)
  const to = placeAt(model, lab.containers, who.ip, from)
  const advice = to?.tag === 'container' ? adviceFor(model, { from, to, kind }) : null
  return E.right({ title: `${placeName(from)} to ${showIp(who.ip)}`, journey, advice })
}

/** What --json prints: the words, and beside them what a program wants to look at. */
const asJson = (journey: Journey, advice: string | null, names: Names): unknown => {
  if (journey.attempt === null) return { arrives: false, why: journey.cannot, advice, steps: [] }
  const { verdict, trace, attempt } = journey
  const steps = trace.map((step) => ({
    at: names.ns(step.ns),
    device: step.dev,
    event: step.event.tag,
    text: stepText(step, names),
  }))
  return verdict.tag === 'arrived'
    ? { arrives: true, how: null, where: null, why: attempt.because, advice: null, steps }
    : { arrives: false, how: verdict.how, where: verdict.where, why: verdict.why, advice, steps }
}

export const trace = async (io: Io, options: TraceOptions): Promise<Either<Problem, number>> => {
  const target = parseTarget(options.to)
  if (E.isLeft(target)) return problem(EXIT.wrong, target.left)
  const project = await readSource(io, options)
  if (E.isLeft(project)) return project
  const simulation = await simulate(labPlanOf(project.right))
  if (E.isLeft(simulation)) return simulation
  const { lab, names } = simulation.right
  const from = placeOf(lab, parseWho(options.from), HOST_PLACE)
  if (E.isLeft(from)) return from
  const told = tell(simulation.right, from.right, target.right)
  if (E.isLeft(told)) return told
  const { title, journey, advice } = told.right
  if (options.json) {
    io.out(jsonText(asJson(journey, advice, names)))
  } else {
    const because = journey.attempt !== null && journey.verdict.tag === 'arrived' ? `: ${journey.attempt.because}` : ''
    io.out(io.paint.bold(`${title}, ${kindText(target.right.kind)}${because}`))
    io.out('')
    io.out(journeyText(journey, names, placeName(from.right), advice, io.paint))
  }
  return E.right(EXIT.ok)
}
