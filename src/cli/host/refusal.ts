// What the engine and the store refuse, as one line with its class and the way out, and the exit status that says whose fault
// it is. Classes are libnetwork's.

import { printable } from '../../compose/error.ts'
import { type CnmError, type ErrorClass, errorClass, explain } from '../../model/error.ts'
import { explainStore, type StoreError } from '../../store/error.ts'
import { EXIT } from '../exit.ts'
import { FAULTS_OF_THE_MACHINE, type Problem } from '../problem.ts'

/** What to do about it, where the sentence does not say it. */
const wayOut = (error: CnmError): string | null => {
  switch (error.tag) {
    case 'NotFound':
      return `"cnm ${error.what} ls" shows what there is`
    case 'NetworkNameTaken':
      return `choose another name, or "cnm network rm" it first`
    case 'EndpointNameTaken':
      return `choose another name, or "cnm endpoint rm" it first`
    case 'ContainerTaken':
      return 'choose another name, or "cnm sandbox rm" it first'
    case 'SandboxTaken':
      return 'choose another --netns'
    case 'HasEndpoints':
      return '"cnm network disconnect" or "cnm endpoint rm" them first'
    case 'AlreadyJoined':
      return '"cnm network disconnect" it first'
    case 'NoAddressFamily':
      return 'leave out --ipv4=false, or add --ipv6'
    case 'PoolOverlap':
      return 'choose another --subnet, or none for a free one'
    case 'LinkLocalTaken':
      return 'choose another --link-local-ip'
    case 'LinkLocalInSubnet':
      return 'ask for it with --ip'
    case 'NoSuchLink':
      return '"cnm endpoint ls" has their names'
    case 'RouteTaken':
      return 'choose another --route'
    case 'IPAlreadyAllocated':
      return 'choose another address, or none for a free one'
    case 'PortTaken':
      return 'publish on another port'
    case 'KernelRefused':
      return '"cnm doctor" shows what is in the way'
    default:
      return null
  }
}

/** By tag where a class is of several minds: an exhausted pool is not the machine's fault. */
const exitOf = (error: CnmError, kind: ErrorClass): number => {
  if (FAULTS_OF_THE_MACHINE.has(error.tag)) return EXIT.machine
  return kind === 'InvalidParameter' ? EXIT.wrong : EXIT.refused
}

/** `cnm: Conflict: a network named "front" exists already; choose another name ...`. */
export const refusalProblem = (error: CnmError): Problem => {
  const kind = errorClass[error.tag]
  const way = wayOut(error)
  const line = `cnm: ${kind}: ${explain(error)}${way === null ? '' : `; ${way}`}`
  return { exit: exitOf(error, kind), lines: [printable(line)] }
}

/** A refusal by the command itself, of one of the engine's classes. */
export const refused = (kind: ErrorClass, line: string): Problem => ({
  exit: kind === 'InvalidParameter' ? EXIT.wrong : EXIT.refused,
  lines: [printable(`cnm: ${kind}: ${line}`)],
})

const STORE_EXIT: Partial<Readonly<Record<StoreError['tag'], number>>> = {
  StoreBadExport: EXIT.wrong,
  StoreNotEmpty: EXIT.refused,
  StoreTooLarge: EXIT.refused,
  StoreBadUrl: EXIT.wrong,
}

export const storeProblem = (error: StoreError): Problem => ({
  exit: STORE_EXIT[error.tag] ?? EXIT.machine,
  lines: [printable(`cnm: ${explainStore(error)}`)],
})
