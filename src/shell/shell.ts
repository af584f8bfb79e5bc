// The shell: which command a first word is, its own commands, and what one command after the other does to it. Its state is a
// value; what a command prints, and with which status it ends, is the answer of its step.

import type { Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import { bridge } from './bridge/bridge.ts'
import { type Context, PLAIN } from './context.ts'
import { type Done, failed, joined, notHere, printed, QUIET } from './done.ts'
import { BUILTIN_HOSTS } from './hosts.ts'
import { ip } from './ip/ip.ts'
import { namespaceCalled, noNamespace } from './ip/netns.ts'
import { type Command, readScript, wordsOf } from './line/script.ts'
import type { Words } from './match.ts'
import { arping } from './packets/arping.ts'
import { jobs, kill, wait } from './packets/job.ts'
import { nc } from './packets/nc.ts'
import { onWire, theirs } from './packets/own.ts'
import { ping } from './packets/ping.ts'
import { tcpdump } from './packets/tcpdump.ts'
import { traceroute } from './packets/traceroute.ts'
import { sysctl } from './sysctl.ts'
import { answering, asking, type Talk } from './terminal.ts'

/**
 * `home`: the namespace that every host begins with. `spaces`: those that were entered, the present one last. `pipe`: what leads from
 * the last command to the next; null: nothing does. `ended`: the status to end with, once it was told to.
 */
export type Shell = Readonly<{
  home: Ns
  spaces: readonly [Ns, ...Ns[]]
  last: number
  pipe: string | null
  errexit: boolean
  ended: number | null
}>

export const newShell = (home: Ns, errexit = false): Shell => ({
  home,
  spaces: [home],
  last: 0,
  pipe: null,
  errexit,
  ended: null,
})
export const spaceOf = ({ spaces }: Shell): Ns => spaces.at(-1) ?? spaces[0]

/** A command that was not run has no answer. */
export type Step = Readonly<{ shell: Shell; done: Done | null }>

type Builtin = (shell: Shell, words: Words) => Talk<Step>
type Program = (context: Context, words: Words) => Talk<Done>

const HELP = `Commands of the kernel, with the spelling, the abbreviations and the output of the real programs:
  ip [-4|-6|-j|-p|-d|-o|-br] [-n NS] link|address|route|rule|neighbour|netns ...   ip netns exec NS COMMAND
  bridge [-j|-p|-d|-o] link|fdb|vlan ...      sysctl [-n] [-w] NAME[=VALUE]      nft ...
  ping ADDRESS    ping6    arping    traceroute    nc [-l] [-z] [-u] ADDRESS PORT    tcpdump -i DEV
Commands of the shell:
  exit [STATUS]  echo  true  false  set -e  sh -c 'COMMANDS'  sleep SECONDS  help
  COMMAND &  jobs  wait [%JOB]  kill %JOB     what goes on until something happens (nc -l, tcpdump)
  ip netns exec NS sh                         goes into a namespace, until exit
cnm's own:
  snapshot [NAME]  back [NAME]                keeps the present; goes back there
  why                                         why the last packet died, and its way there
  host [add] NAME  hosts                      another machine; those that there are
  segment add NAME [delay 5ms] [jitter 1ms] [loss 1%] [duplicate 1%] [reorder 1%] [rate 10mbit]
  segment [set NAME ...]                      what hosts are joined by: changes one; those that there are
  plug HOST DEV SEGMENT                       gives a host a card, with a cable to a segment
  cut SEGMENT [HOST ...]  heal SEGMENT        parts hosts from the others, and joins them again
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
  const lines = yield* asking((terminal) => terminal.why())
  if (lines !== null) return printed(`${lines.join('\n')}\n`)
  const wire = yield* asking((terminal) => terminal.wire())
  return failed(
    1,
    wire === null ? 'why: the kernel of this machine does not say; use --kernel sim' : 'why: no packet has died',
  )
}

const SECONDS = /^(\d+\.?\d*|\.\d+)([smhd]?)$/
const UNITS_MS: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** So far the clock goes at once: what waits so long is not waited for. */
const LONGEST_SLEEP_MS = 86_400_000

function* sleep(words: Words): Talk<Done> {
  if (words.length === 0) return failed(1, "sleep: missing operand\nTry 'sleep --help' for more information.")
  let ms = 0
  for (const word of words) {
    const found = SECONDS.exec(word)
    if (found === null)
      return failed(1, `sleep: invalid time interval '${word}'\nTry 'sleep --help' for more information.`)
    ms += Number(found[1]) * (UNITS_MS[found[2] ?? ''] ?? 0)
  }
  if (ms > LONGEST_SLEEP_MS) return notHere('sleep for more than a day')
  yield* asking((terminal) => terminal.sleep(ms))
  return QUIET
}

function* host(shell: Shell, words: Words): Talk<Step> {
  const [name] = words
  const isMove = words.length === 1 && name !== undefined && name !== 'list' && name !== 'add'
  if (!isMove) return { shell, done: yield* BUILTIN_HOSTS.host(words) }
  const there = yield* asking((terminal) => terminal.goTo(name))
  if (!there) return { shell, done: failed(1, `host: there is no host "${name}"; "hosts" says which there are`) }
  return { shell: { ...shell, spaces: [shell.home] }, done: QUIET }
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
  sleep: say(sleep),
  jobs: say(jobs),
  wait: say(wait),
  kill: say(kill),
  host,
  hosts: say(BUILTIN_HOSTS.hosts),
  segment: say(BUILTIN_HOSTS.segment),
  plug: say(BUILTIN_HOSTS.plug),
  cut: say(BUILTIN_HOSTS.cut),
  heal: say(BUILTIN_HOSTS.heal),
  exit: (shell, words) => answering(exit(shell, words)),
  set: (shell, words) => answering(set(shell, words)),
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  ip,
  bridge,
  sysctl,
  nft: (context, words) => theirs(context, 'nft', words),
  ping: onWire('ping', ping(null)),
  ping6: onWire('ping', ping(6), false, ['-6']),
  nc: onWire('nc', nc, true),
  arping: onWire('arping', arping),
  traceroute: onWire('traceroute', traceroute),
  traceroute6: onWire('traceroute', (context, words, wire) => traceroute(context, ['-6', ...words], wire), false, [
    '-6',
  ]),
  tcpdump: onWire('tcpdump', tcpdump, true),
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

/** `input`: what a pipe leads to it. `beside`: it was to go on in the background. */
type Inside = Readonly<{ ns: Ns; input: string; beside: boolean; depth: number }>

/** A command that runs inside another: its own namespace, and nothing of the shell changes but by what it prints. */
function* runIn(inside: Inside, words: Words): Talk<Done> {
  const [name = '', ...rest] = words
  const { ns, input, beside, depth } = inside
  if (depth > DEEPEST) return failed(126, 'commands within commands are too deep')
  const deeper: Inside = { ...inside, depth: depth + 1 }
  if (name === 'sudo') return yield* runIn(deeper, rest)
  const context: Context = {
    ns,
    options: PLAIN,
    input,
    beside,
    run: (there, inner) => runIn({ ...deeper, ns: there }, inner),
  }
  const program = programCalled(name)
  if (program !== null) return yield* program(context, rest)
  if (SHELLS.has(name)) return yield* runScript(inside, rest)
  const builtin = builtinCalled(name)
  if (builtin === null) return notHere(name === '' ? '""' : name)
  return (yield* builtin(newShell(ns), rest)).done ?? QUIET
}

function* runScript({ ns, depth }: Inside, [option, text]: Words): Talk<Done> {
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

function* perform(shell: Shell, words: Words, depth: number, beside: boolean): Talk<Step> {
  const [name = '', ...rest] = words
  if (name === 'sudo' && rest.length > 0) return yield* perform(shell, rest, depth, beside)
  const into = ENTERS(words)
  if (into !== null) {
    const ns = yield* namespaceCalled(into)
    if (ns === null) return { shell, done: noNamespace(into) }
    return { shell: { ...shell, spaces: [...shell.spaces, ns] }, done: QUIET }
  }
  const builtin = builtinCalled(name)
  if (builtin !== null) return yield* builtin(shell, rest)
  return { shell, done: yield* runIn({ ns: spaceOf(shell), input: shell.pipe ?? '', beside, depth }, words) }
}

/** Without what leads there, a command behind a pipe has nothing to do: the one before it was not run. */
const isDue = ({ last, pipe }: Shell, { when }: Command): boolean => {
  if (when === '|') return pipe !== null
  return when === ';' || (when === '&&') === (last === 0)
}

function* stepIn(shell: Shell, command: Command, next: Command | null, depth: number): Talk<Step> {
  if (!isDue(shell, command)) return { shell, done: null }
  const { shell: after, done } = yield* perform(shell, wordsOf(command, shell.last), depth, command.beside)
  const last = done?.status ?? 0
  // What is asked about by `&&` or `||`, and what leads to another command, may fail.
  const isAsked = next !== null && next.when !== ';'
  const ended = after.ended ?? (after.errexit && last !== 0 && !isAsked ? last : null)
  const isPiped = next?.when === '|'
  const piped = { ...after, last, ended, pipe: isPiped ? (done?.stdout ?? '') : null }
  return { shell: piped, done: isPiped && done !== null ? { ...done, stdout: '' } : done }
}

/** One command of a script. `next`: the one behind it, which may ask how it ended. */
export function* step(shell: Shell, command: Command, next: Command | null): Talk<Step> {
  return yield* stepIn(shell, command, next, 0)
}
