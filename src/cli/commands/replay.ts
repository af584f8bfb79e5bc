// cnm replay: a journal's commands once more, on the simulated kernel; says where the outcome first differs from the journal's.

import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { printable } from '../../compose/error.ts'
import { type Engine, openEngine } from '../../engine/engine.ts'
import type { Turn } from '../../engine/journal.ts'
import { firstDifference, type JournalFile, readJournalFile, storedObjects } from '../../engine/journal-file.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { commandsOf } from '../../kernel/print.ts'
import { simKernel } from '../../kernel-sim/kernel.ts'
import { encode } from '../../model/codec.ts'
import { explain } from '../../model/error.ts'
import { E, type Either } from '../../prelude.ts'
import { memoryStore } from '../../store/memory.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { type Problem, problem, readProblem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { counted } from '../render/table.ts'

export type ReplayOptions = Readonly<{ file: string; step: boolean; json: boolean }>

/** What came of it: `differs` null when the journal's state was reached. */
type Outcome = Readonly<{ turns: number; commands: number; differs: string | null }>

const read = async (file: string): Promise<Either<Problem, JournalFile>> => {
  let content: string
  try {
    content = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8')
  } catch (error) {
    return E.left(readProblem(file, error instanceof Error && 'code' in error ? String(error.code) : String(error)))
  }
  const journal = readJournalFile(content)
  return E.isLeft(journal) ? problem(EXIT.wrong, `${file}: ${journal.left}`) : journal
}

/** An engine on the simulated kernel that begins where the journal does. */
const engineAt = async ({ journal }: JournalFile): Promise<Either<Problem, Engine>> => {
  const store = memoryStore()
  const written = await store.transact({ compares: [], writes: storedObjects(journal.model) })()
  const engine = E.isLeft(written) ? null : await openEngine({ kernel: simKernel(), store, check: true })
  if (engine === null) return problem(EXIT.refused, 'the journal cannot be begun')
  return E.isLeft(engine) ? problem(EXIT.refused, explain(engine.left)) : engine
}

const operation = (op: KernelOp): ReadonlyArray<string> =>
  commandsOf(op, (ns) => ns).map(({ tool, text: words }) => printable(`${tool} ${words}`))

/** Does one turn. Right: its operations. Left: how it differs from what the journal says of it. */
const redo = async (engine: Engine, { number, deeds }: Turn): Promise<Either<string, ReadonlyArray<KernelOp>>> => {
  const preview = await engine.preview(deeds.map(({ command }) => command))
  const answers = await engine.submit(deeds.map(({ command }) => command))
  for (const [index, { command, events }] of deeds.entries()) {
    const where = `turn ${number}, command ${index + 1} (${printable(String(command.tag))})`
    const answer = answers[index]
    if (answer === undefined) return E.left(`${where}: there is no answer`)
    if (E.isLeft(answer)) return E.left(`${where}: it is refused here: ${explain(answer.left)}`)
    if (encode(answer.right) !== encode(events)) return E.left(`${where}: it has other events here than in the journal`)
  }
  return E.right(E.isRight(preview) ? preview.right.ops : [])
}

const tell = (io: Io, { number, deeds }: Turn, ops: ReadonlyArray<KernelOp>): void => {
  const what = deeds.map(({ command, events }) => `${command.tag} -> ${events.map(({ tag }) => tag).join(', ')}`)
  io.out(`${io.paint.bold(`turn ${number}`)}: ${what.join('; ')}`)
  for (const line of ops.flatMap(operation)) io.out(`  ${line}`)
}

const HOW = {
  missing: 'is in the journal and not here',
  unexpected: 'is here and not in the journal',
  different: 'is another here than in the journal',
}

const replayAll = async (io: Io, file: JournalFile, engine: Engine, step: boolean): Promise<Outcome> => {
  let [turns, commands] = [0, 0]
  let expected = file.journal.after + 1
  for (const turn of file.journal.turns) {
    if (turn.number !== expected) return { turns, commands, differs: `turn ${expected} is missing` }
    const ops = await redo(engine, turn)
    if (E.isLeft(ops)) return { turns, commands, differs: ops.left }
    if (step) tell(io, turn, ops.right)
    turns += 1
    commands += turn.deeds.length
    expected += 1
  }
  const other = firstDifference(file.state, storedObjects(engine.model()))
  if (other !== null) return { turns, commands, differs: `the state: ${printable(other.key)} ${HOW[other.how]}` }
  return {
    turns,
    commands,
    differs: file.intact ? null : 'only its checksum: the file was altered, and what it says was not',
  }
}

export const replay = async (io: Io, { file, step, json }: ReplayOptions): Promise<Either<Problem, number>> => {
  const journal = await read(file)
  if (E.isLeft(journal)) return journal
  const engine = await engineAt(journal.right)
  if (E.isLeft(engine)) return engine
  const { turns, commands, differs } = await replayAll(io, journal.right, engine.right, step && !json)
  await engine.right.close()
  const done = `${counted(turns, 'turn')}, ${counted(commands, 'command')}`
  if (json) io.out(jsonText({ turns, commands, identical: differs === null, differs }))
  else if (differs === null) io.out(`${done} replayed on the simulated kernel: the state is the journal's`)
  else io.err(`${file} differs from its replay after ${done}: ${differs}`)
  return E.right(differs === null ? EXIT.ok : EXIT.unmet)
}
