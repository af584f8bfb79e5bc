// A program as a script for each kernel: sh(1) with iproute2 on Linux, and the words of the simulation's shell.

import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { Difference, Program } from './both.ts'
import { QUIET } from './rooms.ts'

const lineOf = (request: Request, name: (ns: string) => string): string => {
  const { tool, ns, text } = commandOf(request, name)
  if (ns === null) return `${tool} ${text}`
  return tool === 'ip' || tool === 'bridge'
    ? `${tool} -n ${name(ns)} ${text}`
    : `ip netns exec ${name(ns)} ${tool} ${text}`
}

const ofLinux = (ns: string): string => `cnm-lockstep-${ns}`

/** What a namespace is made with, so that nothing is sent in it unasked. */
const quiet = ({ ns, ask }: Request): ReadonlyArray<string> =>
  ask.on === 'netns' && ask.do === 'add' ? QUIET.map((name) => `ip netns exec ${ofLinux(ns)} sysctl -qw ${name}=0`) : []

const spacesOf = (program: Program): ReadonlyArray<string> => [
  ...new Set(program.flatMap(({ ns, ask }) => (ask.on === 'netns' && ask.do === 'add' ? [ofLinux(ns)] : []))),
]

/** For Linux: to be run by root; it removes what it makes. */
export const linuxScript = (program: Program): string =>
  [
    '#!/bin/sh',
    `trap 'for ns in ${spacesOf(program).join(' ')}; do ip netns delete $ns; done 2>/dev/null' EXIT`,
    ...program.flatMap((request) => [lineOf(request, ofLinux), ...quiet(request)]),
  ].join('\n')

/** For the simulation's shell. */
export const simulatedScript = (program: Program): string =>
  program.map((request) => lineOf(request, (ns) => ns)).join('\n')

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
