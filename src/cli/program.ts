// The verbs, their options and their help, and nothing else: each verb's code is loaded when it is called.

import { readFileSync } from 'node:fs'
import { Command, CommanderError, Help, Option } from 'commander'
import type { TransportName } from '../kernel-linux/ready.ts'
import { EXIT } from './exit.ts'
import { HELP } from './help.ts'
import { addHostVerbs } from './host/verbs.ts'
import { withoutGoBooleans } from './host/words.ts'
import type { Io } from './io.ts'
import { collect, transportOption } from './option.ts'
import type { Verb } from './problem.ts'
import type { Source } from './source.ts'
import type { KernelName } from './survey.ts'

/** How the running kernel is used. */
type MachineFlags = Readonly<{ kernel: KernelName; transport?: TransportName; rootless?: true }>
type SourceFlags = Readonly<{
  file?: ReadonlyArray<string>
  projectName?: string
  profile?: ReadonlyArray<string>
  envFile?: string
}>
/** Longer lines are hard to read. */
const HELP_WIDTH = 100

/** The bundle lies in dist, beside which is package.json. */
const version = (): string => {
  // Our own file.
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

const withSource = (command: Command): Command =>
  command
    .option('-f, --file <file>', 'a Compose file; several are merged as Compose merges them', collect)
    .option('-p, --project-name <name>', 'the project, instead of the name of the folder')
    .option('--profile <profile>', 'activate a profile; "*" is all of them; may be repeated', collect)
    .option('--env-file <file>', 'read variables from this file instead of .env')

const kernelOption = (): Option =>
  new Option('--kernel <kernel>', 'the simulated kernel, or the one of this machine (as root)')
    .choices(['sim', 'linux'])
    .default('sim')

const withMachine = (command: Command): Command =>
  command
    .addOption(kernelOption())
    .addOption(
      new Option('--rootless', "with the machine's kernel, without root: in a user namespace").implies({
        kernel: 'linux',
      }),
    )
    .addOption(transportOption())

/** The verb itself, or the same in a user namespace. */
const onKernel =
  ({ kernel, rootless }: MachineFlags, verb: Verb): Verb =>
  async () => {
    if (rootless !== true) return verb()
    if (kernel !== 'linux')
      return (await import('./problem.ts')).problem(
        EXIT.wrong,
        '--rootless needs the kernel of this machine, not --kernel sim',
      )
    return (await import('./rootless.ts')).rootless(process.argv.slice(2))
  }

const sourceOf = (files: ReadonlyArray<string>, flags: SourceFlags): Source => ({
  files: [...files, ...(flags.file ?? [])],
  profiles: flags.profile ?? [],
  ...(flags.projectName === undefined ? {} : { projectName: flags.projectName }),
  ...(flags.envFile === undefined ? {} : { envFile: flags.envFile }),
})

/** Right: the status a verb ended with. Left: its lines are said, and its status is the command's. */
const finish = async (io: Io, verb: Verb): Promise<number> => {
  const result = await verb()
  io.progress(null)
  // By its tag: fp-ts is a tenth of what `--help` would load.
  if (result._tag === 'Right') return result.right
  for (const line of result.left.lines) io.err(line)
  return result.left.exit
}

const addVerbs = (program: Command, io: Io, done: (status: number) => void): void => {
  const start = async (verb: Verb): Promise<void> => done(await finish(io, verb))
  withMachine(withSource(program.command('run [FILE...]')))
    .summary('show what the networks of a Compose file will do')
    .description(HELP.run.about)
    .option('--json', 'for programs: networks, containers, reachability')
    .addOption(new Option('--keep', 'with --kernel linux: leave the lab on the machine').conflicts('rootless'))
    .action((files: string[], flags: SourceFlags & MachineFlags & { json?: true; keep?: true }) =>
      start(
        onKernel(flags, async () =>
          (await import('./commands/run.ts')).run(io, {
            ...sourceOf(files, flags),
            kernel: flags.kernel,
            transport: flags.transport ?? null,
            json: flags.json === true,
            keep: flags.keep === true,
          }),
        ),
      ),
    )
    .addHelpText('after', HELP.run.examples)
  program
    .command('down [LAB...]')
    .summary('remove what "run --keep" left')
    .description(HELP.down.about)
    .option('--all', 'also the labs of a cnm that is still running')
    .action((labs: string[], { all }: { all?: true }) =>
      start(async () => (await import('./commands/down.ts')).down(io, { labs, all: all === true })),
    )
    .addHelpText('after', HELP.down.examples)
  withSource(program.command('trace <FILE> <FROM> <TO>'))
    .summary("follow one packet's journey, and see why it dies")
    .description(HELP.trace.about)
    .option('--json', 'for programs: the verdict and every step')
    .action((file: string, from: string, to: string, flags: SourceFlags & { json?: true }) =>
      start(async () =>
        (await import('./commands/trace.ts')).trace(io, {
          ...sourceOf([file], flags),
          from,
          to,
          json: flags.json === true,
        }),
      ),
    )
    .addHelpText('after', HELP.trace.examples)
  withMachine(withSource(program.command('check [FILE...]')))
    .summary('hold a Compose file to its own expectations')
    .description(HELP.check.about)
    .option('--junit <file>', 'write the results for a CI system, too')
    .option('--json', 'for programs: each expectation, and what did not hold')
    .action((files: string[], flags: SourceFlags & MachineFlags & { json?: true; junit?: string }) =>
      start(
        onKernel(flags, async () =>
          (await import('./commands/check.ts')).check(io, {
            ...sourceOf(files, flags),
            kernel: flags.kernel,
            transport: flags.transport ?? null,
            json: flags.json === true,
            ...(flags.junit === undefined ? {} : { junit: flags.junit }),
          }),
        ),
      ),
    )
    .addHelpText('after', HELP.check.examples)
  withSource(program.command('plan [FILE...]'))
    .summary('print the shell commands that build the networks')
    .description(HELP.plan.about)
    .option('--undo', 'print the script that removes what the plan built')
    .action((files: string[], flags: SourceFlags & { undo?: true }) =>
      start(async () =>
        (await import('./commands/plan.ts')).plan(io, { ...sourceOf(files, flags), undo: flags.undo === true }),
      ),
    )
    .addHelpText('after', HELP.plan.examples)
  addShellVerb(program, io, start)
  addHostVerbs(program, io, start)
  addIpamVerbs(program, io, start)
}

const addShellVerb = (program: Command, io: Io, start: (verb: Verb) => Promise<void>): void => {
  program
    .command('shell [FILE]')
    .summary('a terminal to a kernel')
    .description(HELP.shell.about)
    .option('-c <commands>', 'run these')
    .option('-e', 'end at the first failure')
    .addOption(kernelOption())
    .option('--json', 'for programs: an object for each command')
    .action((file: string | undefined, flags: { c?: string; e?: true; kernel: KernelName; json?: true }) =>
      start(async () =>
        (await import('./commands/shell.ts')).shell(io, {
          file: file ?? null,
          commands: flags.c ?? null,
          kernel: flags.kernel,
          errexit: flags.e === true,
          json: flags.json === true,
        }),
      ),
    )
    .addHelpText('after', HELP.shell.examples)
}

const addIpamVerbs = (program: Command, io: Io, start: (verb: Verb) => Promise<void>): void => {
  const ipam = program
    .command('ipam')
    .summary('ask the address manager what it would answer, and see its pools')
    .description(HELP.ipam.about)
    .addHelpText('after', HELP.ipam.examples)
  ipam
    .command('replay [FILE]')
    .summary('answer the IPAM requests of a log, line by line')
    .description(HELP['ipam replay'].about)
    .option('-q, --quiet', 'print errors only, each with its line in the log')
    .option('--summary', 'at the end, on the standard error: requests, errors by code, pools in use')
    .action((file: string | undefined, { quiet, summary }: { quiet?: true; summary?: true }) =>
      start(async () =>
        (await import('./commands/ipam-replay.ts')).ipamReplay(io, {
          file: file ?? '-',
          quiet: quiet === true,
          summary: summary === true,
        }),
      ),
    )
    .addHelpText('after', HELP['ipam replay'].examples)
  ipam
    .command('show [FILE]')
    .summary('draw the pools that a log leaves in use')
    .description(HELP['ipam show'].about)
    .option('--pool <id>', 'only this pool or sub-pool; may be repeated', collect)
    .option('--all', 'every range of addresses, however many')
    .option('--json', 'for programs: the pools and every range')
    .action((file: string | undefined, flags: { pool?: ReadonlyArray<string>; all?: true; json?: true }) =>
      start(async () =>
        (await import('./commands/ipam-show.ts')).ipamShow(io, {
          file: file ?? '-',
          pools: flags.pool ?? [],
          all: flags.all === true,
          json: flags.json === true,
        }),
      ),
    )
    .addHelpText('after', HELP['ipam show'].examples)
}

const plain = new Help()
/** That a flag is off unless it is there, need not be said. */
const optionDescription = (option: Option): string =>
  plain.optionDescription(option).replace(/ \(default: (true|false)\)$/, '')

/** Runs the command line; the answer is the exit status. Throws only what is a defect. */
export const runProgram = async (io: Io, args: ReadonlyArray<string>): Promise<number> => {
  let status: number = EXIT.ok
  const program = new Command('cnm')
    .exitOverride()
    .configureOutput({
      getOutHelpWidth: () => Math.min(io.width, HELP_WIDTH),
      writeOut: (text) => io.out(text.replace(/\n$/, '')),
      writeErr: (text) => io.err(text.replace(/\n$/, '')),
      outputError: (text, write) => write(text.replace(/^error: /, 'cnm: ')),
    })
    .configureHelp({ optionDescription })
    .showHelpAfterError('(cnm --help, or cnm VERB --help, shows what there is)')
    .description(HELP.cnm.about)
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this, or with a verb what it does')
    .addHelpText('after', HELP.cnm.examples)
  addVerbs(program, io, (each) => {
    status = each
  })
  try {
    await program.parseAsync([...withoutGoBooleans(args)], { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.ok : EXIT.wrong
  }
}
