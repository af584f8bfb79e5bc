// Everything that can be wrong with a Compose file: a closed union of values, and one sentence for each. A sentence
// names its object, says what was wrong and, where there is one, the way out.

import { type Cidr, showCidr } from '../net/cidr.ts'
import { type Ip, showIp } from '../net/ip.ts'
import type { Transport } from '../net/port.ts'
import { absurd } from '../prelude.ts'
import { type At, showAt } from './at.ts'

/** A place, as short as it is clear beside another one. */
const placeOf = (place: At, beside: At): string => (place.file === beside.file ? `line ${place.line}` : showAt(place))

/** What may be named and not exist. */
export type Noun = 'service' | 'network'

/** `at` always lies inside the file it names; `first` and `other` are the places it collides with. */
export type ComposeError = Readonly<{ at: At }> &
  Readonly<
    | { tag: 'CannotRead'; code: string }
    | { tag: 'TooBig'; bytes: number; limit: number }
    | { tag: 'NotText'; reason: string }
    | { tag: 'NoFile' }
    | { tag: 'EmptyFile' }
    | { tag: 'Yaml'; reason: string }
    | { tag: 'TooComplex'; reason: string }
    | { tag: 'DuplicateKey'; key: string; first: At }
    | { tag: 'WrongType'; path: string; expected: string; found: string }
    | { tag: 'UnknownKey'; path: string; key: string; suggestion: string | null; known: ReadonlyArray<string> }
    | { tag: 'MissingKey'; path: string; key: string }
    /** `reason` is a clause that follows the path: `is not ...`. */
    | { tag: 'BadValue'; path: string; reason: string }
    | { tag: 'BadVariable'; reason: string; text: string }
    | { tag: 'RequiredVariable'; name: string; message: string }
    | { tag: 'NotSupported'; what: string; instead: string | null }
    | { tag: 'BadProjectName'; name: string }
    | {
        tag: 'Unknown'
        noun: Noun
        name: string
        where: string
        suggestion: string | null
        known: ReadonlyArray<string>
      }
    | { tag: 'Inactive'; service: string; where: string; profiles: ReadonlyArray<string> }
    | { tag: 'ExtendsLoop'; chain: ReadonlyArray<string> }
    | { tag: 'ModeLoop'; chain: ReadonlyArray<string> }
    | { tag: 'ModeConflict'; service: string; mode: string; key: string }
    | { tag: 'ReplicasConflict'; service: string; replicas: number; key: string }
    | { tag: 'NameTwice'; what: string; name: string; first: At }
    | { tag: 'HostBits'; network: string; subnet: Cidr; meant: Cidr }
    | { tag: 'OutsideSubnet'; network: string; what: string; value: string; subnet: Cidr }
    | { tag: 'Overlap'; network: string; subnet: Cidr; other: string; otherSubnet: Cidr; first: At }
    | { tag: 'NoSubnet'; service: string; network: string; address: Ip }
    | { tag: 'FamilyOff'; service: string; network: string; address: Ip; key: string }
    | { tag: 'AddressOutside'; service: string; network: string; address: Ip; subnets: ReadonlyArray<Cidr> }
    | { tag: 'AddressReserved'; service: string; network: string; address: Ip; reason: string }
    | { tag: 'AddressTwice'; service: string; network: string; address: string; other: string; first: At }
    | {
        tag: 'PortTwice'
        service: string
        port: string
        transport: Transport
        hostIp: Ip | null
        other: string
        first: At
      }
    | { tag: 'BadExpectation'; text: string; reason: string }
    | { tag: 'UnknownEndpoint'; name: string; suggestion: string | null; known: ReadonlyArray<string> }
  >

export const EXPECTATION_GRAMMAR = 'FROM reaches TO [on tcp/PORT]  or  FROM does not reach TO [on tcp/PORT]'

const list = (names: ReadonlyArray<string>): string =>
  names.length > 12 ? `${names.slice(0, 12).join(', ')}, ...` : names.join(', ')

const circle = (chain: ReadonlyArray<string>): string =>
  (chain.length > 12 ? [...chain.slice(0, 10), '...', ...chain.slice(-1)] : chain).join(' -> ')

const orHint = (suggestion: string | null, known: ReadonlyArray<string>, what: string): string =>
  suggestion !== null
    ? `; did you mean "${suggestion}"?`
    : known.length === 0
      ? `; there are no ${what}s${what === 'network' ? ': declare it under "networks:" at the top level' : ''}`
      : `; known: ${list(known)}`

const READ_FAILURE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'this is a directory, not a Compose file',
  EACCES: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'too many symbolic links',
}

/** What is wrong, without the place; one line. */
export const sentenceOf = (error: ComposeError): string => {
  switch (error.tag) {
    case 'CannotRead':
      return READ_FAILURE[error.code] ?? `cannot be read (${error.code})`
    case 'TooBig':
      return `the file has ${error.bytes} bytes; a Compose file may have ${error.limit}`
    case 'NotText':
      return `this is not a text file: ${error.reason}`
    case 'NoFile':
      return 'no Compose file was given'
    case 'EmptyFile':
      return 'the file is empty; a Compose file has at least "services:"'
    case 'Yaml':
      return `not valid YAML: ${error.reason}`
    case 'TooComplex':
      return error.reason
    case 'DuplicateKey':
      return `the key "${error.key}" is here a second time; the first is on ${placeOf(error.first, error.at)}`
    case 'WrongType':
      return `${error.path} must be ${error.expected}, not ${error.found}`
    case 'UnknownKey':
      return `${error.path} has no key "${error.key}"${orHint(error.suggestion, error.known, 'key')}`
    case 'MissingKey':
      return `${error.path} needs the key "${error.key}"`
    case 'BadValue':
      return `${error.path}: ${error.reason}`
    case 'BadVariable':
      return `${error.reason} in "${error.text}"; write "$$" for a plain dollar sign`
    case 'RequiredVariable':
      return `the variable ${error.name} is required${error.message === '' ? '' : `: ${error.message}`}`
    case 'NotSupported':
      return `${error.what} is not supported yet${error.instead === null ? '' : `; ${error.instead}`}`
    case 'BadProjectName':
      return error.name === ''
        ? 'the project has no name; give one with "name:" at the top of the file'
        : `"${error.name}" is not a project name: lower-case letters, digits, "-" and "_", beginning with a letter or digit`
    case 'Unknown':
      return `${error.where}: there is no ${error.noun} "${error.name}"${orHint(error.suggestion, error.known, error.noun)}`
    case 'Inactive':
      return `${error.where}: the service "${error.service}" is not active; it needs a profile: ${list(error.profiles)}`
    case 'ExtendsLoop':
      return `services extend each other in a circle: ${circle(error.chain)}`
    case 'ModeLoop':
      return `services share each other's network in a circle: ${circle(error.chain)}`
    case 'ModeConflict':
      return `the service "${error.service}" has network_mode "${error.mode}", which does not go together with "${error.key}"`
    case 'ReplicasConflict':
      return `the service "${error.service}" has ${error.replicas} replicas, which cannot share one ${error.key}`
    case 'NameTwice':
      return `the ${error.what} "${error.name}" is used twice; the first is on ${placeOf(error.first, error.at)}`
    case 'HostBits':
      return `the network "${error.network}": subnet ${showCidr(error.subnet)} has host bits set; did you mean ${showCidr(error.meant)}?`
    case 'OutsideSubnet':
      return `the network "${error.network}": ${error.what} ${error.value} is not in its subnet ${showCidr(error.subnet)}`
    case 'Overlap':
      return error.network === error.other
        ? `the network "${error.network}": its subnets ${showCidr(error.otherSubnet)} and ${showCidr(error.subnet)} overlap`
        : `the networks "${error.other}" (${showCidr(error.otherSubnet)}, ${placeOf(error.first, error.at)}) and "${error.network}" (${showCidr(error.subnet)}) overlap`
    case 'NoSubnet':
      return `the service "${error.service}" asks for ${showIp(error.address)}, but the network "${error.network}" has no subnet of its own; give it one under "ipam: config:"`
    case 'FamilyOff':
      return `the service "${error.service}" asks for ${showIp(error.address)}, but the network "${error.network}" does not have "${error.key}: true"`
    case 'AddressOutside':
      return `the service "${error.service}" asks for ${showIp(error.address)}, which is not in the network "${error.network}" (${error.subnets.map(showCidr).join(', ')})`
    case 'AddressReserved':
      return `the service "${error.service}" asks for ${showIp(error.address)}, which is ${error.reason} of the network "${error.network}"`
    case 'AddressTwice':
      return `the service "${error.service}" asks for ${error.address} on the network "${error.network}", which ${error.other} has already (${placeOf(error.first, error.at)})`
    case 'PortTwice':
      return `the service "${error.service}" publishes ${error.transport} port ${error.port}${
        error.hostIp === null ? '' : ` on ${showIp(error.hostIp)}`
      }, which ${error.other} has already (${placeOf(error.first, error.at)})`
    case 'BadExpectation':
      return `cannot read the expectation "${error.text}": ${error.reason}. The grammar is: ${EXPECTATION_GRAMMAR}`
    case 'UnknownEndpoint':
      return `there is no service or container "${error.name}"${orHint(error.suggestion, error.known, 'service')}; "host" and "internet" may be used too`
    default:
      return absurd(error, 'sentenceOf')
  }
}

/** Control characters of a hostile file must not reach a terminal, nor break the one line. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** `compose.yaml:7:9: the network ...`, one line. */
export const explainCompose = (error: ComposeError): string => printable(`${showAt(error.at)}: ${sentenceOf(error)}`)

export const explainNote = (note: Readonly<{ at: At; text: string }>): string =>
  printable(`${showAt(note.at)}: ${note.text}`)
