// Expectations against what happens: who is meant by the names, what is asked, and whether the answers are as hoped.
// A name may stand for several containers: "reaches" means that all of them do, "does not reach" that none does.

import type { Port, Transport } from '../net/port.ts'
import type { Kind, Question } from './approach.ts'
import { type Container, HOST_PLACE, INTERNET_PLACE, type Place } from './place.ts'
import type { Finding } from './reach.ts'

/** `port` null: a ping. `from` and `to`: a service, a container, `host` or `internet`. */
export type Hope = Readonly<{
  from: string
  to: string
  port: Readonly<{ port: Port; proto: Transport }> | null
  reaches: boolean
}>

/** The places a name stands for, in order of the plan; none if nobody has that name. */
export const placesNamed = (containers: ReadonlyArray<Container>, name: string): ReadonlyArray<Place> => {
  if (name === 'host') return [HOST_PLACE]
  if (name === 'internet') return [INTERNET_PLACE]
  const services = containers.filter(({ service }) => service === name)
  return services.length > 0 ? services : containers.filter((container) => container.name === name)
}

/** From outside, a port of the host is one container's door: the others are not asked about it. */
const behindDoor = (from: Place, to: ReadonlyArray<Place>, kind: Kind): ReadonlyArray<Place> => {
  if (from.tag === 'container' || kind.proto === 'icmp') return to
  const offering = to.filter(
    (place) =>
      place.tag === 'container' &&
      place.sandbox.ports.some(({ hostPort, transport }) => hostPort === kind.port && transport === kind.proto),
  )
  return offering.length > 0 ? offering : to
}

/** What must be asked to know whether a hope holds. A container is not asked about itself. */
export const questionsFor = (containers: ReadonlyArray<Container>, hope: Hope): ReadonlyArray<Question> => {
  const kind: Kind = hope.port === null ? { proto: 'icmp' } : { proto: hope.port.proto, port: hope.port.port }
  const targets = placesNamed(containers, hope.to)
  return placesNamed(containers, hope.from).flatMap((from) =>
    behindDoor(from, targets, kind)
      .filter((to) => to !== from)
      .map((to) => ({ from, to, kind })),
  )
}

/** The answers that are not as hoped. */
export const disappointments = (hope: Hope, findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.filter(({ reaches }) => reaches !== hope.reaches)
