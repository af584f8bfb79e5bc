// The `cnm` command: runs one verb and turns what it comes to into an exit status. Only what `--help` needs is loaded here;
// each verb brings its own parts (program.ts).

import { writeSync } from 'node:fs'
import { EXIT } from './exit.ts'
import { processIo } from './io.ts'
import { runProgram } from './program.ts'

const io = processIo()

/** The bundle holds all but the packages that bring machine code. */
const absentPackage = (error: unknown): string | null => {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return null
  return /Cannot find package '(koffi|lmdb)'/.exec(error.message)?.[1] ?? null
}

/** What nobody foresaw is a defect of ours; its stack is for those who ask. */
const sayDefect = (error: unknown): number => {
  const absent = absentPackage(error)
  if (absent !== null) {
    io.err(`cnm: the package ${absent}, which this needs, is not installed beside cnm; "npm install ${absent}" there`)
    return EXIT.machine
  }
  const text = error instanceof Error ? error.message : String(error)
  io.err(`cnm: this is a defect of cnm, not of your file: ${text.split('\n')[0] ?? ''}`)
  const debugging = (process.env['CNM_DEBUG'] ?? '') !== ''
  io.err(
    debugging
      ? String(error instanceof Error ? error.stack : error)
      : 'cnm: with CNM_DEBUG=1 it tells where; please report it',
  )
  return EXIT.defect
}

// Not process.exit: what was written to a pipe must still get out.
process.exitCode = await runProgram(io, process.argv.slice(2)).catch(sayDefect)

process.on('exit', () => {
  const why = io.broken()
  if (why === null) return
  process.exitCode = EXIT.machine
  try {
    writeSync(process.stderr.fd, `cnm: the output cannot be written: ${why}\n`)
  } catch {
    // Nobody is left to be told.
  }
})
