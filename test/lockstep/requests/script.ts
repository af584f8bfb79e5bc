// A program as a script for each kernel: sh(1) with iproute2 on Linux, and the words of the simulation's shell.

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { Difference, Program } from './both.ts'
import { NO_DAD } from './quiet.ts'
import { QUIET } from './rooms.ts'

const lineOf = (request: Request, name: (ns: string) => string): string => {
  const { tool, ns, text } = commandOf(request, name)
  if (ns === null) return `${tool} ${text}`
  return tool === 'ip' || tool === 'bridge'
    ? `${tool} -n ${name(ns)} ${text}`
    : `ip netns exec ${name(ns)} ${tool} ${text}`
}

const ofLinux = (ns: string): string => `cnm-lockstep-${ns}`
const asIs = (ns: string): string => ns

/** What a namespace is made with, so that nothing is sent in it unasked. */
const quiet = ({ ns, ask }: Request, names: ReadonlyArray<string>, name: (ns: string) => string) =>
  ask.on === 'netns' && ask.do === 'add' ? names.map((key) => `ip netns exec ${name(ns)} sysctl -qw ${key}=0`) : []

const spacesOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(program.flatMap(({ ns, ask }) => (ask.on === 'netns' && ask.do === 'add' ? [ofLinux(ns)] : []))),
]

/** For Linux: to be run by root; it removes what it makes. */
export const linuxScript = (program: Program): string =>
  [
    '#!/bin/sh',
    `trap 'for ns in ${spacesOf(program).join(' ')}; do ip netns delete $ns; done 2>/dev/null' EXIT`,
    ...program.flatMap((request) => [lineOf(request, ofLinux), ...quiet(request, QUIET, ofLinux)]),
  ].join('\n')

/** For the simulation's shell. */
export const simulatedScript = (program: Program): string =>
  program.flatMap((request) => [lineOf(request, asIs), ...quiet(request, [NO_DAD], asIs)]).join('\n')

/** Both scripts, and what the kernels told after the last command. */
export const report = (program: Program, { of, simulated, real }: Difference): string => {
  const told = (who: string, lines: ReadonlyArray<string>) => [`  ${who}:`, ...lines.map((line) => `    ${line}`)]
  return [
    '# On Linux',
    linuxScript(program),
    '',
    '# In the simulation',
    simulatedScript(program),
    '',
    of === 'errno' ? '# The last command is answered' : '# After the last command, only one of them has',
    ...told('the simulation', simulated),
    ...told('Linux', real),
  ].join('\n')
}
