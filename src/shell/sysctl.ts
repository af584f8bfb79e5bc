// sysctl(8): reading and writing by name; names with dots or slashes. Source: procps 4.0, src/sysctl.c; sysctl(8).

import { strerror } from '../kernel/errno.ts'
import type { SysctlName } from '../kernel/sysctl.ts'
import { E } from '../prelude.ts'
import type { Context } from './context.ts'
import { absentHere, type Done, failed, joined, notHere, printed, QUIET, type Read, refuse } from './done.ts'
import type { Words } from './match.ts'
import { asking, type Talk } from './terminal.ts'

type Flags = Readonly<{
  values: boolean
  names: boolean
  quiet: boolean
  ignore: boolean
  write: boolean
  bare: boolean
}>
type Called = Readonly<{ flags: Flags; names: Words }>

const NONE: Flags = { values: false, names: false, quiet: false, ignore: false, write: false, bare: false }

const LONG: Readonly<Record<string, string>> = {
  values: 'n',
  names: 'N',
  quiet: 'q',
  ignore: 'e',
  write: 'w',
  binary: 'b',
  all: 'a',
  load: 'p',
  system: 'S',
  pattern: 'r',
  help: 'h',
  version: 'V',
}

const SETS: Readonly<Record<string, Partial<Flags>>> = {
  n: { values: true },
  N: { names: true },
  q: { quiet: true },
  e: { ignore: true },
  w: { write: true },
  b: { values: true, bare: true },
  o: {},
  x: {},
}

const USAGE = 'Usage:\n sysctl [options] [variable[=value] ...]'

/** Options may stand behind names. */
const readOptions = (words: Words): Read<Called> => {
  let flags = NONE
  const names: string[] = []
  for (const [at, word] of words.entries()) {
    if (word === '--') return E.right({ flags, names: [...names, ...words.slice(at + 1)] })
    if (!word.startsWith('-') || word === '-') {
      names.push(word)
      continue
    }
    const long = word.startsWith('--') ? LONG[word.slice(2)] : undefined
    if (word.startsWith('--') && long === undefined)
      return E.left({ status: 0, stdout: '', stderr: `sysctl: unrecognized option '${word}'\n\n${USAGE}\n` })
    for (const letter of long ?? word.slice(1)) {
      const set = SETS[letter]
      if (letter === 'h' || letter === 'd') return E.left(printed(`\n${USAGE}\n`))
      if (letter === 'V') return E.left(printed('sysctl from procps-ng 4.0.2, as cnm has it\n'))
      if ('aAXpfrS'.includes(letter)) return absentHere(`sysctl -${letter}`)
      if (set === undefined) return refuse(1, `sysctl: invalid option -- '${letter}'\n\n${USAGE}`)
      flags = { ...flags, ...set }
    }
  }
  return E.right({ flags, names })
}

/** The first separator decides: with slashes, dots belong to names of devices, as slashes do with dots. */
const dotted = (name: string): string => {
  const separator = /[./]/.exec(name)?.[0]
  if (separator !== '/') return name
  return name.replace(/[./]/g, (each) => (each === '/' ? '.' : '/'))
}
/** Of a namespace's network; all others are the machine's. */
const OF_NETWORK = /^net(\.[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*)+$/

const fileOf = (name: string): string => `/proc/sys/${name.replace(/[./]/g, (each) => (each === '.' ? '/' : '.'))}`

const told = (name: string, value: string, { values, names, bare }: Flags): Done => {
  if (names) return printed(`${name}\n`)
  if (values) return printed(bare ? value : `${value}\n`)
  return printed(`${name} = ${value}\n`)
}

const unknown = (name: string, { ignore }: Flags): Done =>
  ignore ? QUIET : failed(1, `sysctl: cannot stat ${fileOf(name)}: ${strerror.ENOENT}`)

function* read({ ns }: Context, name: string, flags: Flags): Talk<Done> {
  const value = yield* asking((terminal) => terminal.sysctl(ns, name))
  return value === null ? unknown(name, flags) : told(name, value, flags)
}

function* write({ ns }: Context, name: string, value: string, flags: Flags): Talk<Done> {
  const there = yield* asking((terminal) => terminal.sysctl(ns, name))
  if (there === null) return unknown(name, flags)
  // Cast: it is there, so it is the name of one.
  const ask = { on: 'sysctl', do: 'write', name: name as SysctlName, value } as const
  const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
  if (refusal !== null) return failed(1, `sysctl: setting key "${name}": ${strerror[refusal.errno]}`)
  return flags.quiet ? QUIET : told(name, value, flags)
}

export function* sysctl(context: Context, words: Words): Talk<Done> {
  const called = readOptions(words)
  if (E.isLeft(called)) return called.left
  const { flags, names } = called.right
  if (words.length === 0) return { status: 1, stdout: '', stderr: `\n${USAGE}\n` }
  if (names.length === 0) return failed(1, "sysctl: no variables specified\nTry `sysctl --help' for more information.")
  const all: Done[] = []
  let status = 0
  for (const [at, word] of names.entries()) {
    const equals = word.indexOf('=')
    const name = dotted((equals < 0 ? word : word.slice(0, equals)).trim())
    const done = !OF_NETWORK.test(name)
      ? notHere(`sysctl ${name}`)
      : equals >= 0
        ? yield* write(context, name, word.slice(equals + 1).trim(), flags)
        : flags.write
          ? failed(1, `sysctl: command line(${at}): invalid syntax, continuing...`)
          : yield* read(context, name, flags)
    if (done.status !== 0) status = done.status
    all.push(done)
  }
  return { ...joined(all), status }
}
