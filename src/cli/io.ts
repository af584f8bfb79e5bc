// Where a command's words go: results to the standard output, everything else to the standard error. Colour and progress
// only where somebody is looking. A reader who leaves early (`cnm run | head`) ends the writing, never the command: what
// must be taken down still is.

import pc from 'picocolors'

export type Paint = Readonly<Record<'bold' | 'dim' | 'red' | 'green' | 'yellow', (text: string) => string>>

export type Io = Readonly<{
  /** A text of the result; a newline is added. */
  out: (text: string) => void
  /** A line beside the result. */
  err: (line: string) => void
  paint: Paint
  /** Columns of the output. */
  width: number
  /** Whether the output may hold more than ASCII, by the locale. */
  unicode: boolean
  /** Shows how far a long work is, on a terminal only; null takes it away. */
  progress: (text: string | null) => void
  /** For long results, between two parts: waits until more can be written, and says whether anybody still reads. */
  ready: () => Promise<boolean>
  /** Why the output could not be written, other than that its reader left; null if it could. */
  broken: () => string | null
}>

/** For output that nobody looks at while it is made. */
const PIPE_WIDTH = 100

/** https://no-color.org; FORCE_COLOR as other programs have it. */
const wantsColor = (stream: NodeJS.WriteStream): boolean => {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0') return true
  // Of a pipe it is undefined, whatever its type says.
  return stream.isTTY === true && TERM !== 'dumb'
}

/** A pipe that was closed, a terminal that is gone. */
const LEFT = new Set(['EPIPE', 'EIO'])

type Writer = Readonly<{ write: (text: string) => void; ready: () => Promise<boolean> }>

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const RELIEF = ['drain', 'error', 'close'] as const

/** Writes to a stream until it cannot; an error while writing never stops the command, which may have to tidy up. */
const writer = (stream: NodeJS.WriteStream, fail: (code: string) => void): Writer => {
  let gone = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    gone = true
    if (!LEFT.has(error.code ?? '')) fail(error.code ?? error.message)
  })
  const relieved = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        for (const event of RELIEF) stream.off(event, done)
        resolve()
      }
      for (const event of RELIEF) stream.on(event, done)
    })
  return {
    write: (text) => {
      if (!gone) stream.write(text)
    },
    ready: async () => {
      // An error is told of in a later turn than the one it happened in.
      await turn()
      if (!gone && stream.writableNeedDrain) await relieved()
      return !gone
    },
  }
}

/** As the C library decides it: locale(7). */
const isUnicode = ({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean =>
  /utf-?8/i.test([LC_ALL, LC_CTYPE, LANG].find((each) => each !== undefined && each !== '') ?? '')

const CLEAR_LINE = '\r\x1b[K'

export const processIo = (): Io => {
  let failure: string | null = null
  const fail = (code: string): void => {
    failure ??= code
  }
  const toOut = writer(process.stdout, fail)
  const toErr = writer(process.stderr, fail)
  let shown = false
  const progress = (text: string | null): void => {
    if (!process.stderr.isTTY || (text === null && !shown)) return
    toErr.write(`${CLEAR_LINE}${text ?? ''}`)
    shown = text !== null
  }
  return {
    out: (text) => {
      progress(null)
      toOut.write(`${text}\n`)
    },
    err: (line) => {
      progress(null)
      toErr.write(`${line}\n`)
    },
    paint: pc.createColors(wantsColor(process.stdout)),
    width: process.stdout.isTTY ? process.stdout.columns : PIPE_WIDTH,
    unicode: isUnicode(process.env),
    progress,
    ready: toOut.ready,
    broken: () => failure,
  }
}
