// cnm completion: a script for bash or zsh, made from the command tree itself, so that it knows every verb and option there is.

import type { Command, Option } from 'commander'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'

/** What an option's value may be: some words, a file, or anything. */
type Value = Readonly<{ flag: string; choices: ReadonlyArray<string>; isFile: boolean }>

/** A verb at a path of words such as "cnm network ls". */
type Node = Readonly<{
  path: string
  /** Verbs below it, or the words its arguments may be. */
  verbs: ReadonlyArray<string>
  /** Whether an argument is a file. */
  isFile: boolean
  options: ReadonlyArray<string>
  /** Options that take a value, each spelling. */
  values: ReadonlyArray<Value>
}>

const flagsOf = ({ short, long }: Option): ReadonlyArray<string> =>
  [short, long].filter((flag): flag is string => typeof flag === 'string')

const HELP_FLAGS = ['-h', '--help']

const nodesOf = (command: Command, path: string): ReadonlyArray<Node> => {
  const visible = command.options.filter(({ hidden }) => !hidden)
  const node: Node = {
    path,
    verbs: [
      ...command.commands.map((verb) => verb.name()),
      ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ],
    isFile: command.registeredArguments.some((argument) => argument.name() === 'FILE'),
    options: [...visible.flatMap(flagsOf), ...HELP_FLAGS],
    values: visible
      .filter(({ required, optional }) => required || optional)
      .flatMap((option) => {
        const isFile = /<(file|dir)>/.test(option.flags)
        return flagsOf(option).map((flag) => ({ flag, choices: option.argChoices ?? [], isFile }))
      }),
  }
  return [
    node,
    ...command.commands.flatMap((verb) =>
      [verb.name(), ...verb.aliases()].flatMap((name) => nodesOf(verb, `${path} ${name}`)),
    ),
  ]
}

/** What an option's value may be, by the verb's path and the option. */
const valueCases = (nodes: ReadonlyArray<Node>): string =>
  nodes
    .flatMap(({ path, values }) =>
      values.map(({ flag, choices, isFile }) => {
        const fits = isFile ? ' files=1' : choices.length === 0 ? '' : ` fits='${choices.join(' ')}'`
        return `    '${path} ${flag}') value=1${fits} ;;`
      }),
    )
    .join('\n')

const verbCases = (nodes: ReadonlyArray<Node>): string =>
  nodes
    .map(
      ({ path, verbs, isFile, options }) =>
        `    '${path}') verbs='${verbs.join(' ')}' options='${options.join(' ')}'${isFile ? ' file=1' : ''} ;;`,
    )
    .join('\n')

const paths = (nodes: ReadonlyArray<Node>): string =>
  nodes
    .filter(({ path }) => path.includes(' '))
    .map(({ path }) => `'${path}'`)
    .join('|')

/**
 * Sets `fits` to the words that fit, or `files` if a file does. `$1` is the word before the cursor, `$2` the beginning of the present
 * one, the others those from the first on. Options are offered once a `-` is there.
 */
const choose = (nodes: ReadonlyArray<Node>): string => `_cnm_choose() {
  local before=$1 current=$2 at=cnm value= file= verbs= options= word
  shift 3
  for word in "$@"; do
    case "$at $word" in
      ${paths(nodes)}) at="$at $word" ;;
    esac
  done
  fits='' files=''
  case "$at $before" in
${valueCases(nodes)}
  esac
  case "$at" in
${verbCases(nodes)}
  esac
  if [ -z "$value" ]; then
    case $current in
      -*) fits=$options ;;
      *) fits=$verbs files=$file ;;
    esac
  fi
}
`

const BASH = `_cnm() {
  local fits files
  _cnm_choose "\${COMP_WORDS[COMP_CWORD-1]}" "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[@]:0:COMP_CWORD}"
  if [ -n "$files" ]; then
    COMPREPLY=()
    compopt -o default 2>/dev/null
  else
    COMPREPLY=($(compgen -W "$fits" -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -F _cnm cnm
`

const ZSH = `_cnm() {
  local fits files
  _cnm_choose "\${words[CURRENT-1]}" "\${words[CURRENT]}" "\${(@)words[1,CURRENT-1]}"
  if [ -n "$files" ]; then
    _files
  else
    compadd -- \${=fits}
  fi
}
if [ "\${funcstack[1]}" = _cnm ]; then _cnm "$@"; else compdef _cnm cnm; fi
`

export type Shell = 'bash' | 'zsh'

const SHELLS: Readonly<Record<Shell, (nodes: ReadonlyArray<Node>) => string>> = {
  bash: (nodes) => `# bash completion of cnm; made by "cnm completion bash".\n${choose(nodes)}${BASH}`,
  zsh: (nodes) => `#compdef cnm\n# Made by "cnm completion zsh".\n${choose(nodes)}${ZSH}`,
}

export const completion = async (io: Io, program: Command, shell: Shell): Promise<Either<Problem, number>> => {
  io.out(SHELLS[shell](nodesOf(program, 'cnm')).replace(/\n$/, ''))
  return E.right(EXIT.ok)
}
