// How our namespaces are called on the machine. Real names are made only from `Ns` and `Lab`, whose alphabets are safe in
// a command line and below /run/netns.

import type { Ns } from '../net/name.ts'
import { type Brand, E, type Either } from '../prelude.ts'

/** The name of a namespace below /run/netns; null: the namespace this process runs in. */
export type Names = (ns: Ns) => string | null

export const NETNS_DIR = '/run/netns'
export const netnsPath = (real: string): string => `${NETNS_DIR}/${real}`

/** Namespaces that are made and removed together, named as Compose names projects. */
export type Lab = string & Brand<'Lab'>

const LAB = /^[a-z0-9][a-z0-9_-]{0,63}$/

/** Left: a sentence. */
export const parseLab = (text: string): Either<string, Lab> =>
  LAB.test(text)
    ? E.right(text as Lab)
    : E.left(`"${text}" is not a lab name (1 to 64 lower-case letters, digits, "-" or "_", not first)`)

const PREFIX = 'cnm-'

/** Its `-` is written `.`, so that no lab's prefix begins another's. */
export const labPrefix = (lab: Lab): string => `${PREFIX}${lab.replaceAll('-', '.')}-`

/** `cnm-<lab>-<ns>`; at most 4 + 64 + 1 + 128 bytes, and a file name may have 255. */
export const labNames =
  (lab: Lab): Names =>
  (ns) =>
    `${labPrefix(lab)}${ns}`

/** The lab that a namespace belongs to by its name; null if it is nobody's. */
export const labOfName = (real: string): Lab | null => {
  const end = real.indexOf('-', PREFIX.length)
  if (!real.startsWith(PREFIX) || end < 0) return null
  const lab = parseLab(real.slice(PREFIX.length, end).replaceAll('.', '-'))
  return E.isRight(lab) ? lab.right : null
}
