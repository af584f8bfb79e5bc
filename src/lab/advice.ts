// What one could do so that a packet arrives, where that is clear from the model. Sentences for people who wrote a Compose
// file, in its words.

import { endpointsIn } from '../model/queries.ts'
import type { Model, Network } from '../model/types.ts'
import { isLoopback, showIp } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import type { Question } from './approach.ts'
import type { Container } from './place.ts'

const networksOf = (model: Model, { sandbox }: Container): ReadonlyArray<Network> =>
  endpointsIn(model, sandbox.id).map(({ network }) => network)

const quoted = (networks: ReadonlyArray<Network>): string => networks.map(({ name }) => `"${name}"`).join(', ')

const noNetwork = ({ name }: Container): string =>
  `${name} is on no network: give it one under its "networks:", and no "network_mode: none"`

const betweenContainers = (model: Model, from: Container, to: Container): string | null => {
  if (from.sandbox.ns === HOST || to.sandbox.ns === HOST) return null
  const ours = networksOf(model, from)
  const theirs = networksOf(model, to)
  if (ours.length === 0) return noNetwork(from)
  if (theirs.length === 0) return noNetwork(to)
  const shared = theirs.filter((network) => ours.includes(network))
  if (shared.length === 0)
    return `put both on one network: ${from.name} on ${quoted(theirs)}, or ${to.name} on ${quoted(ours)}, or both on a new one`
  const closed = shared.filter(({ config }) => config['icc'] === false)
  return closed.length === shared.length
    ? `they share ${quoted(shared)}, whose containers may not talk to each other: remove its option com.docker.network.bridge.enable_icc, or link one to the other and expose its port`
    : null
}

const toInternet = (model: Model, from: Container): string | null => {
  const ours = networksOf(model, from)
  if (from.sandbox.ns === HOST) return null
  if (ours.length === 0) return noNetwork(from)
  return ours.every(({ internal }) => internal)
    ? `every network of ${from.name} is internal (${quoted(ours)}): remove "internal: true", or add a network that is not`
    : null
}

const fromOutside = (model: Model, to: Container, { from, kind }: Question): string | null => {
  if (kind.proto === 'icmp') return `from outside only published ports are reached: give ${to.name} "ports:"`
  const bindings = to.sandbox.ports.filter(
    ({ hostPort, transport }) => hostPort === kind.port && transport === kind.proto,
  )
  if (bindings.length === 0) {
    const suffix = kind.proto === 'tcp' ? '' : `/${kind.proto}`
    return `publish the port: ports: ["${kind.port}:${kind.port}${suffix}"] under ${to.name}`
  }
  const ours = networksOf(model, to)
  if (ours.length === 0) return noNetwork(to)
  if (ours.every(({ internal }) => internal))
    return `an internal network (${quoted(ours)}) publishes nothing: put ${to.name} on one that is not internal, too`
  const local = bindings.find(({ hostIp }) => hostIp !== null && isLoopback(hostIp))
  return from.tag === 'internet' && local?.hostIp != null
    ? `the port is published on ${showIp(local.hostIp)}, for the host alone: leave that address out of "ports:"`
    : null
}

/** The way out, or null where there is no obvious one. */
export const adviceFor = (model: Model, question: Question): string | null => {
  const { from, to } = question
  if (to.tag === 'container')
    return from.tag === 'container' ? betweenContainers(model, from, to) : fromOutside(model, to, question)
  return from.tag === 'container' && to.tag === 'internet' ? toInternet(model, from) : null
}
