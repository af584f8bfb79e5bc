// From bytes to the lines of a log. Invariant: what is held is one chunk and at most one line, however long the log or a
// line is; a line that is too long or no UTF-8 (RFC 8259, section 8.1) is told of, and the next ones are read as usual.

import { isUtf8 } from 'node:buffer'
import { E, type Either } from '../../prelude.ts'

/** Bytes. A request of Docker has a few hundred. */
export const LONGEST_LINE = 1 << 20

/** `text` without its newline. Left: why it is none. */
export type Line = Readonly<{ number: number; text: Either<string, string> }>

const NEWLINE = 10
const NOTHING = Buffer.alloc(0)
const TOO_LONG = E.left(`it has more than ${LONGEST_LINE} bytes`)
const NOT_UTF8 = E.left('it is not UTF-8 text')

const decode = (bytes: Buffer): Either<string, string> =>
  bytes.length > LONGEST_LINE ? TOO_LONG : isUtf8(bytes) ? E.right(bytes.toString()) : NOT_UTF8

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'EIO'

/** The lines that each chunk ends, and at last the one that no newline ends. Left: the code of what stopped the reading. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Either<string, ReadonlyArray<Line>>> {
  let number = 0
  /** What is read of a line whose end is not; of one that is too long, enough to know that. */
  let head = NOTHING
  try {
    for await (const chunk of chunks) {
      const lines: Line[] = []
      let from = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
        const tail = chunk.subarray(from, end)
        lines.push({ number: ++number, text: decode(head.length === 0 ? tail : Buffer.concat([head, tail])) })
        head = NOTHING
        from = end + 1
      }
      if (head.length <= LONGEST_LINE) head = Buffer.concat([head, chunk.subarray(from)])
      yield E.right(lines)
    }
  } catch (cause) {
    yield E.left(codeOf(cause))
    return
  }
  if (head.length > 0) yield E.right([{ number: number + 1, text: decode(head) }])
}
