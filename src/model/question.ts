// What must be known of the host before a command can be decided: its devices of certain names, where its routes lead if a subnet is to
// be chosen, its ports if some are to be published.

import {
  factsFor,
  type HostFacts,
  type HostPorts,
  type HostQuestion,
  NO_QUESTION,
  type PortRange,
} from '../net/host-facts.ts'
import { isUnspecified } from '../net/ip.ts'
import type { Port } from '../net/port.ts'
import type { Command, CreateNetwork, PortRequest } from './command.ts'
import type { Rules } from './rules.ts'
import type { PoolSpec, Texts } from './types.ts'

/** What a network that only lends its configuration lends; undefined: there is none of this name. */
export type Lenders = (name: string) => Readonly<{ options: Texts; asked: ReadonlyArray<PoolSpec> }> | undefined

const ofNetwork = (rules: Rules, lenders: Lenders, command: CreateNetwork): HostQuestion => {
  const rule = rules.get(command.driver)
  if (rule === undefined || command.configOnly === true) return NO_QUESTION
  const lender = command.configFrom === undefined ? undefined : lenders(command.configFrom)
  const { options, asked } = lender ?? { options: command.options, asked: command.pools }
  return {
    devices: rule.devices(options),
    prefixes: rule.addresses && asked.some(({ subnet }) => subnet === null || isUnspecified(subnet.ip)),
    ports: false,
  }
}

/** Nothing for a command that knows its host already, or does not depend on it. */
export const questionOf = (rules: Rules, lenders: Lenders, command: Command): HostQuestion => {
  switch (command.tag) {
    case 'CreateNetwork':
      return command.host === undefined ? ofNetwork(rules, lenders, command) : NO_QUESTION
    case 'CreateSandbox':
    case 'RefreshSandbox':
      return { ...NO_QUESTION, ports: command.host === undefined && command.ports.length > 0 }
    default:
      return NO_QUESTION
  }
}

const isWithin = (port: Port, { from, to }: PortRange): boolean => from <= port && port <= to

/** Only the sockets that may be in the way: the command is kept in a journal. */
const inTheWayOf = (requests: ReadonlyArray<PortRequest>, { automatic, reserved, taken }: HostPorts): HostPorts => {
  const ranges = requests.map(({ hostPorts }) => hostPorts ?? automatic)
  return { automatic, reserved, taken: taken.filter(({ port }) => ranges.some((range) => isWithin(port, range))) }
}

/** The command, knowing what it asked. */
export const withHost = (command: Command, question: HostQuestion, told: HostFacts): Command => {
  const host = factsFor(question, told)
  switch (command.tag) {
    case 'CreateNetwork':
      return { ...command, host }
    case 'CreateSandbox':
    case 'RefreshSandbox':
      return { ...command, host: { ...host, ports: host.ports && inTheWayOf(command.ports, host.ports) } }
    default:
      return command
  }
}
