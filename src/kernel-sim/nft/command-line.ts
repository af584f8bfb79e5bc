// nft's own command line: its options, and what is left of it as a script. What the options of real nft do that nobody here can is
// told as such.
// Sources: nft(8) "OPTIONS"; nftables src/main.c (1.0.6): options stand before commands, words are joined by blanks.

import { E, type Either } from '../../prelude.ts'

/** What is to be run. `file`: the script's name, whose text is yet to be read, `-` being the standard input; null: `script` is it. */
export type Call = Readonly<{
  script: string
  file: string | null
  json: boolean
  handles: boolean
  numeric: boolean
  /** Nothing is changed. */
  check: boolean
}>

/** What nft prints and ends with, where it runs nothing. */
export type Said = Readonly<{ status: 0 | 1; stdout: string; stderr: string }>

type Option = Readonly<{ long: string; takes: boolean; is: 'known' | 'foreign' }>
const known = (long: string, takes = false): Option => ({ long, takes, is: 'known' })
const foreign = (long: string, takes = false): Option => ({ long, takes, is: 'foreign' })

const OPTIONS: Readonly<Record<string, Option>> = {
  f: known('file', true),
  j: known('json'),
  a: known('handle'),
  c: known('check'),
  n: known('numeric'),
  h: known('help'),
  v: known('version'),
  s: foreign('stateless'),
  t: foreign('terse'),
  S: foreign('service'),
  N: foreign('reversedns'),
  u: foreign('guid'),
  y: foreign('numeric-priority'),
  p: foreign('numeric-protocol'),
  T: foreign('numeric-time'),
  e: foreign('echo'),
  i: foreign('interactive'),
  o: foreign('optimize'),
  d: foreign('debug', true),
  I: foreign('includepath', true),
  D: foreign('define', true),
  V: foreign('long-version'),
}

const failed = (stderr: string): Either<Said, never> => E.left({ status: 1, stdout: '', stderr })

const VERSION = 'nftables v1.0.6 (Lester Gooch #5)\n'
const USAGE = `Usage: nft [ options ] [ cmds... ]

Options:
  -h, --help          Show this help
  -v, --version       Show version information
  -f, --file FILE     Read input from FILE, - being the standard input
  -c, --check         Check commands validity without actually applying the changes
  -a, --handle        Output rule handle
  -j, --json          Format output in JSON
  -n, --numeric       Print fully numerical output
`

type Given = { call: Call; wanted: 'help' | 'version' | null }

const noted = (given: Given, { long, is }: Option, argument: string): Either<Said, null> => {
  if (is === 'foreign') return failed(`nft: not in the simulation: --${long}\n`)
  const { call } = given
  if (long === 'help' || long === 'version') given.wanted = long
  if (long === 'file') given.call = { ...call, file: argument }
  if (long === 'json') given.call = { ...call, json: true }
  if (long === 'handle') given.call = { ...call, handles: true }
  if (long === 'numeric') given.call = { ...call, numeric: true }
  if (long === 'check') given.call = { ...call, check: true }
  return E.right(null)
}

/** `--file=X`, `--file X`; any beginning of a name that is nobody else's. How many words of the next were taken. */
const takeLong = (given: Given, word: string, next: string | undefined): Either<Said, 0 | 1> => {
  const [name = '', ...value] = word.slice(2).split('=')
  const all = Object.values(OPTIONS)
  const option = all.find(({ long }) => long === name) ?? only(all.filter(({ long }) => long.startsWith(name)))
  if (option === null) return failed(`nft: unrecognized option '${word}'\n`)
  const inline = value.length > 0 ? value.join('=') : null
  if (!option.takes) {
    const done = noted(given, option, '')
    return E.isLeft(done) ? done : E.right(0)
  }
  const argument = inline ?? next
  if (argument === undefined) return failed(`nft: option '${word}' requires an argument\n`)
  const done = noted(given, option, argument)
  return E.isLeft(done) ? done : E.right(inline === null ? 1 : 0)
}

const only = <A>(items: ReadonlyArray<A>): A | null => (items.length === 1 ? (items[0] ?? null) : null)

/** `-ja`, `-fX`, `-f X`. */
const takeShort = (given: Given, word: string, next: string | undefined): Either<Said, 0 | 1> => {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i] ?? ''
    const option = Object.hasOwn(OPTIONS, letter) ? OPTIONS[letter] : undefined
    if (option === undefined) return failed(`nft: invalid option -- '${letter}'\n`)
    if (!option.takes) {
      const done = noted(given, option, '')
      if (E.isLeft(done)) return done
      continue
    }
    const rest = word.slice(i + 1)
    const argument = rest === '' ? next : rest
    if (argument === undefined) return failed(`nft: option requires an argument -- '${letter}'\n`)
    const done = noted(given, option, argument)
    return E.isLeft(done) ? done : E.right(rest === '' ? 1 : 0)
  }
  return E.right(0)
}

const TAKES_NEXT: ReadonlySet<string> = new Set([
  '-d',
  '-I',
  '-f',
  '-D',
  '--debug',
  '--includepath',
  '--file',
  '--define',
])

/** Where an option stands behind a command, in the whole line; null: nowhere. What is in braces is not looked at. */
const misplaced = (words: ReadonlyArray<string>): number | null => {
  let column = 'nft '.length
  let isCommand = false
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word.startsWith('{')) return null
    if (!word.startsWith('-')) isCommand = true
    else if (isCommand) return column
    column += word.length + 1
    if (!TAKES_NEXT.has(word)) continue
    i += 1
    column += (words[i]?.length ?? 0) + 1
  }
  return null
}

/** What the words behind `nft` ask for. Left: nft has said what there is to say. */
export const readCall = (words: ReadonlyArray<string>): Either<Said, Call> => {
  const late = misplaced(words)
  if (late !== null) {
    const marks = `   ^${'~~'.padStart(late - 2)}`
    const stderr = `Error: syntax error, options must be specified before commands\nnft ${words.join(' ')} `
    // The marks go elsewhere than the words.
    return E.left({ status: 1, stdout: `\n${marks}\n`, stderr })
  }
  const given: Given = {
    call: { script: '', file: null, json: false, handles: false, numeric: false, check: false },
    wanted: null,
  }
  let at = 0
  for (let word = words[at]; word?.startsWith('-') && word !== '-'; word = words[at]) {
    at += 1
    if (word === '--') break
    const took = word.startsWith('--') ? takeLong(given, word, words[at]) : takeShort(given, word, words[at])
    if (E.isLeft(took)) return took
    at += took.right
  }
  if (given.wanted !== null) return E.left({ status: 0, stdout: given.wanted === 'help' ? USAGE : VERSION, stderr: '' })
  const { call } = given
  if (call.file === null && at >= words.length) return failed('nft: no command specified\n')
  return E.right(call.file === null ? { ...call, script: words.slice(at).join(' ') } : call)
}
