// Names that end up in command lines: interfaces and network namespaces. They are made only here, from a safe
// alphabet, so nothing can be injected into an `ip -batch` line or an nft script.

import { type Brand, E, type Either } from '../prelude.ts'

/** At most 15 bytes (IFNAMSIZ less its NUL, linux/if.h); letters, digits, `_`, `-`, `.`. */
export type IfName = string & Brand<'IfName'>
/** The name of a network namespace, as `ip netns` shows it; `host` is the one the networks are attached to. */
export type Ns = string & Brand<'Ns'>

const IFNAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}$/
const NS = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/

export const parseIfName = (text: string): Either<string, IfName> =>
  IFNAME.test(text)
    ? E.right(text as IfName)
    : E.left(`"${text}" is not an interface name (1 to 15 letters, digits, "_", "-" or ".")`)

/** Names that the kernel keeps for itself: the loopback device, and two directories of sysctls. */
const KEPT = new Set(['lo', 'all', 'default'])

/** For a link that is to be made. */
export const parseNewIfName = (text: string): Either<string, IfName> =>
  KEPT.has(text) ? E.left(`"${text}" cannot be the name of a new interface`) : parseIfName(text)

export const parseNs = (text: string): Either<string, Ns> =>
  NS.test(text) ? E.right(text as Ns) : E.left(`"${text}" is not a namespace name (letters, digits, "_", "-" or ".")`)

const orThrow = <A>(result: Either<string, A>): A => {
  if (E.isLeft(result)) throw new Error(result.left)
  return result.right
}

/** For names built by our own source from safe parts. Throws on anything else. */
export const ifName = (text: string): IfName => orThrow(parseIfName(text))
export const ns = (text: string): Ns => orThrow(parseNs(text))

/** The namespace of the host itself: where bridges live, and where an operator's machine has its uplink. */
export const HOST: Ns = ns('host')
export const LO: IfName = ifName('lo')
