// An answer as the line of JSON that is printed for it.

import { explainIpam, ipamErrorClass } from '../../ipam/error.ts'
import { E } from '../../prelude.ts'
import type { Heard } from './replay.ts'

/**
 * What a terminal may take for a command, a line's end or a change of direction, and JSON may hold: DEL, C1, the separators
 * of Unicode, its bidirectional controls (UAX 9), and the byte order mark.
 */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (text: string): string =>
  text.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** `numbered`: an error says which line of the log it answers. */
export const answerText = ({ line, answer }: Heard, numbered: boolean): string => {
  if (E.isRight(answer)) return JSON.stringify(answer.right)
  const error = answer.left
  return escaped(
    JSON.stringify({
      ...(numbered ? { Line: line } : {}),
      Error: explainIpam(error),
      Class: ipamErrorClass[error.tag],
      Code: error.tag,
    }),
  )
}
