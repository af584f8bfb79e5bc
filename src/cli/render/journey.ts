// A packet's journey in words: there and back, grouped by where it is, at the end what came of it and what one could do.

import type { Failure } from '../../kernel/kernel.ts'
import type { Step } from '../../kernel-sim/datapath/step.ts'
import { type Names, stepText, whereText } from '../../kernel-sim/datapath/words.ts'
import type { Journey } from '../../lab/journey.ts'
import type { Paint } from '../io.ts'

/** A part of the journey: what one socket (or router) sent, until the next sends. */
type Leg = Readonly<{ title: string; steps: ReadonlyArray<Step> }>

const isWhole = (steps: ReadonlyArray<Step>): boolean => !steps.some(({ event }) => event.tag === 'dropped')

/** A question about an address and its answer, which are told without the way of their frames. */
const isAboutAddress = ({ payload }: Step): boolean =>
  payload.tag === 'arp' ||
  (payload.tag === 'ip6' && payload.body.proto === 'icmp6' && payload.body.type.startsWith('neighbour-'))

const isTold = (step: Step): boolean => {
  const { tag } = step.event
  return !isAboutAddress(step) || tag === 'asked' || tag === 'answered' || tag === 'learned' || tag === 'flooded'
}

/** The legs, named by who sends. */
const legsOf = (trace: ReadonlyArray<Step>, names: Names): ReadonlyArray<Leg> => {
  const legs: Step[][] = []
  for (const step of trace.filter(isTold)) {
    const leg = legs.at(-1)
    if (leg === undefined || step.event.tag === 'sent') legs.push([step])
    else leg.push(step)
  }
  const sender = trace[0]?.ns
  return legs.map((steps, i) => {
    const ns = steps[0]?.ns
    const title =
      i === 0 ? 'There' : ns === sender ? 'And there again' : `Back, from ${ns === undefined ? '' : names.ns(ns)}`
    return { title, steps }
  })
}

/** The device stands before what happens there, unless the sentence begins with it. */
const lineOf = (step: Step, names: Names, { red, green, dim }: Paint): string => {
  const what = stepText(step, names).slice(whereText(step, names).length + 2)
  const device = step.dev === null ? '' : names.dev(step.ns, step.dev)
  const place = device === '' || what.startsWith(device) ? '' : `${dim(`${device}:`)} `
  const { tag } = step.event
  return `${place}${tag === 'dropped' ? red(what) : tag === 'delivered' ? green(what) : what}`
}

const legText = ({ title, steps }: Leg, names: Names, paint: Paint): ReadonlyArray<string> => {
  const lines = [paint.bold(title)]
  let at: string | null = null
  for (const step of steps) {
    const place = names.ns(step.ns)
    if (place !== at) lines.push(`  ${place}`)
    at = place
    lines.push(`    ${lineOf(step, names, paint)}`)
  }
  return lines
}

/** A third leg that went well teaches nothing new. */
const isHandshakeEnd = ({ steps }: Leg, i: number): boolean => {
  const [first] = steps
  return (
    i === 2 && isWhole(steps) && first !== undefined && 'body' in first.payload && first.payload.body.proto === 'tcp'
  )
}

export const HEARD: Readonly<Record<Failure, string>> = {
  refused: 'is told that nothing listens there (connection refused)',
  unreachable: 'is told that there is no way (unreachable)',
  timeout: 'hears nothing and gives up (timeout)',
}

/** `sender` is who asked; `advice` is what one could do, if it does not arrive. */
export const journeyText = (
  journey: Journey,
  names: Names,
  sender: string,
  advice: string | null,
  paint: Paint,
): string => {
  const { bold, red, green } = paint
  const tip = advice === null ? [] : [`${bold('What to do:')} ${advice}.`]
  if (journey.attempt === null) return [`${red('There is nothing to send:')} ${journey.cannot}.`, ...tip].join('\n')
  const { verdict, trace } = journey
  const lines = legsOf(trace, names).flatMap((leg, i) =>
    isHandshakeEnd(leg, i)
      ? [bold(leg.title), '  TCP ACK takes the same way; the conversation is open', '']
      : [...legText(leg, names, paint), ''],
  )
  if (verdict.tag === 'arrived') return [...lines, green(`It arrives, and the answer comes back.`)].join('\n')
  const why = verdict.why === null ? [] : [`${red('It dies')} at ${verdict.where ?? sender}: ${verdict.why}.`]
  return [...lines, ...why, `${sender} ${HEARD[verdict.how]}.`, ...tip].join('\n')
}
