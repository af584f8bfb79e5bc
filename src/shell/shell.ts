// The shell: which command a first word is, its own commands, and what one command after the other does to it. Its state is a
// value; what a command prints, and with which status it ends, is the answer of its step.

import type { Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import { bridge } from './bridge/bridge.ts'
import { type Context, PLAIN } from './context.ts'
import { type Done, failed, joined, notHere, printed, QUIET } from './done.ts'
import { ip } from './ip/ip.ts'
import { namespaceCalled, noNamespace } from './ip/netns.ts'
import { type Command, readScript, wordsOf } from './line/script.ts'
import type { Words } from './match.ts'
import { nc, ping, theirs } from './probes.ts'
import { sysctl } from './sysctl.ts'
import { answering, asking, type Talk } from './terminal.ts'

/** `spaces`: those that were entered, the present one last. `ended`: the status to end with, once it was told to. */
export type Shell = Readonly<{
  spaces: readonly [Ns, ...Ns[]]
  last: number
  errexit: boolean
  ended: number | null
}>

export const newShell = (home: Ns, errexit = false): Shell => ({ spaces: [home], last: 0, errexit, ended: null })
export const spaceOf = ({ spaces }: Shell): Ns => spaces.at(-1) ?? spaces[0]

/** A command that was not run has no answer. */
export type Step = Readonly<{ shell: Shell; done: Done | null }>

type Builtin = (shell: Shell, words: Words) => Talk<Step>
type Program = (context: Context, words: Words) => Talk<Done>

const HELP = `Commands of the kernel, with the spelling, the abbreviations and the output of the real programs:
  ip [-4|-6|-j|-p|-d|-o|-br] [-n NS] link|address|route|rule|neighbour|netns ...   ip netns exec NS COMMAND
  bridge [-j|-p|-d|-o] link|fdb|vlan ...      sysctl [-n] [-w] NAME[=VALUE]      nft ...
  ping ADDRESS    ping6    nc -z ADDRESS PORT    arping    traceroute    tcpdump
Commands of the shell:
  snapshot [NAME]  back [NAME]  why           keep the present, go back there; why the last packet died
  host [NAME]  exit [STATUS]  echo  true  false  set -e  sh -c 'COMMANDS'  help
  ip netns exec NS sh                         goes into a namespace, until exit
`

const UNNAMED = 'last'

const say = (program: (words: Words) => Talk<Done>): Builtin =>
  function* (shell, words) {
    return { shell, done: yield* program(words) }
  }

function* snapshot([name = UNNAMED]: Words): Talk<Done> {
  const kept = yield* asking((terminal) => terminal.snapshot(name))
  return kept === null ? failed(1, 'snapshot: the kernel of this machine cannot be kept; use --kernel sim') : QUIET
}

function* back([name = UNNAMED]: Words): Talk<Done> {
  const found = yield* asking((terminal) => terminal.back(name))
  if (found === null) return failed(1, 'back: the kernel of this machine cannot go back; use --kernel sim')
  return found
    ? QUIET
    : failed(1, `back: there is no snapshot "${name}"; "snapshot${name === UNNAMED ? '' : ` ${name}`}" makes one`)
}

function* why(): Talk<Done> {
  const words = yield* asking((terminal) => terminal.why())
  return words === null ? failed(1, 'why: no packet has died') : printed(`${words}\n`)
}

function* host([name]: Words): Talk<Done> {
  if (name === undefined) return printed(`${(yield* asking((terminal) => terminal.hosts())).join('\n')}\n`)
  const there = yield* asking((terminal) => terminal.goTo(name))
  return there ? QUIET : failed(1, `host: there is no host "${name}"; "host" says which there are`)
}

const ends = (shell: Shell, status: number): Shell => {
  const [home, ...inner] = shell.spaces
  return inner.length === 0 ? { ...shell, ended: status } : { ...shell, spaces: [home, ...inner.slice(0, -1)] }
}

const exit = (shell: Shell, [status = String(shell.last)]: Words): Step => {
  if (!/^\d{1,3}$/.test(status)) return { shell, done: failed(2, `exit: Illegal number: ${status}`) }
  return { shell: ends(shell, Number(status) % 256), done: { ...QUIET, status: Number(status) % 256 } }
}

const set = (shell: Shell, [option]: Words): Step =>
  option === '-e' || option === '+e'
    ? { shell: { ...shell, errexit: option === '-e' }, done: QUIET }
    : { shell, done: notHere(`set ${option ?? ''}`.trim()) }

const BUILTINS: Readonly<Record<string, Builtin>> = {
  help: say(() => answering(printed(HELP))),
  true: say(() => answering(QUIET)),
  ':': say(() => answering(QUIET)),
  false: say(() => answering({ status: 1, stdout: '', stderr: '' })),
  echo: say((words) => answering(printed(`${words.join(' ')}\n`))),
  snapshot: say(snapshot),
  back: say(back),
  why: say(why),
  host: say(host),
  exit: (shell, words) => answering(exit(shell, words)),
  set: (shell, words) => answering(set(shell, words)),
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  ip,
  bridge,
  sysctl,
  nft: theirs('nft'),
  ping: (context, words) => ping(context, words, null),
  ping6: (context, words) => ping(context, words, 6),
  nc,
  arping: theirs('arping'),
  traceroute: theirs('traceroute'),
  tcpdump: theirs('tcpdump'),
}

export const COMMANDS: ReadonlyArray<string> = [
  ...Object.keys(PROGRAMS),
  ...Object.keys(BUILTINS),
  'sh',
  'bash',
  'sudo',
]

const programCalled = (name: string): Program | null =>
  Object.hasOwn(PROGRAMS, name) ? (PROGRAMS[name] ?? null) : null
const builtinCalled = (name: string): Builtin | null =>
  Object.hasOwn(BUILTINS, name) ? (BUILTINS[name] ?? null) : null

const SHELLS = new Set(['sh', 'bash', '/bin/sh', '/bin/bash'])
/** Of commands within commands; a script may not call itself, so only words that were written so deep go deeper. */
const DEEPEST = 50

/** A command that runs inside another: its own namespace, and nothing of the shell changes but by what it prints. */
function* runIn(ns: Ns, words: Words, depth: number): Talk<Done> {
  const [name = '', ...rest] = words
  if (depth > DEEPEST) return failed(126, 'commands within commands are too deep')
  if (name === 'sudo') return yield* runIn(ns, rest, depth + 1)
  const context: Context = { ns, options: PLAIN, run: (there, inner) => runIn(there, inner, depth + 1) }
  const program = programCalled(name)
  if (program !== null) return yield* program(context, rest)
  if (SHELLS.has(name)) return yield* runScript(ns, rest, depth)
  const builtin = builtinCalled(name)
  if (builtin === null) return notHere(name === '' ? '""' : name)
  return (yield* builtin(newShell(ns), rest)).done ?? QUIET
}

function* runScript(ns: Ns, [option, text]: Words, depth: number): Talk<Done> {
  if (option !== '-c' || text === undefined) return notHere('sh without -c')
  const script = readScript(text)
  if (E.isLeft(script)) return failed(2, `sh: ${script.left.what}`)
  let shell = newShell(ns)
  const all: Done[] = []
  for (const [at, command] of script.right.entries()) {
    const next = yield* stepIn(shell, command, script.right[at + 1] ?? null, depth + 1)
    shell = next.shell
    if (next.done !== null) all.push(next.done)
    if (shell.ended !== null) break
  }
  return { ...joined(all), status: shell.ended ?? shell.last }
}

const ENTERS = (words: Words): string | null => {
  const [program, object, verb, name, shell, ...more] = words
  const isEntering = program === 'ip' && object === 'netns' && verb === 'exec' && more.length === 0
  return isEntering && name !== undefined && SHELLS.has(shell ?? '') ? name : null
}

function* perform(shell: Shell, words: Words, depth: number): Talk<Step> {
  const [name = '', ...rest] = words
  if (name === 'sudo' && rest.length > 0) return yield* perform(shell, rest, depth)
  const into = ENTERS(words)
  if (into !== null) {
    const ns = yield* namespaceCalled(into)
    if (ns === null) return { shell, done: noNamespace(into) }
    return { shell: { ...shell, spaces: [...shell.spaces, ns] }, done: QUIET }
  }
  const builtin = builtinCalled(name)
  if (builtin !== null) return yield* builtin(shell, rest)
  return { shell, done: yield* runIn(spaceOf(shell), words, depth) }
}

const isDue = ({ last }: Shell, { when }: Command): boolean => when === ';' || (when === '&&') === (last === 0)

function* stepIn(shell: Shell, command: Command, next: Command | null, depth: number): Talk<Step> {
  if (!isDue(shell, command)) return { shell, done: null }
  const { shell: after, done } = yield* perform(shell, wordsOf(command, shell.last), depth)
  const last = done?.status ?? 0
  // What is asked about by `&&` or `||` may fail.
  const isAsked = next !== null && next.when !== ';'
  const ended = after.ended ?? (after.errexit && last !== 0 && !isAsked ? last : null)
  return { shell: { ...after, last, ended }, done }
}

/** One command of a script. `next`: the one behind it, which may ask how it ended. */
export function* step(shell: Shell, command: Command, next: Command | null): Talk<Step> {
  return yield* stepIn(shell, command, next, 0)
}
