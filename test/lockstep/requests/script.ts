// A program as a script for each kernel: sh(1) with iproute2 on Linux, and the words of the simulation's shell.

import type { Ruled } from '../../../properties/arbitraries/stack-rulesets.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { showIp } from '../../../src/net/ip.ts'
import type { Case, Difference, Program } from './both.ts'
import { QUIET } from './rooms.ts'
import { UNRATIONED } from './unbound.ts'

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

/** Words of ping(8) and nc(1) for what they have words for; the rest is said behind them. */
const tryOf = (attempt: Try, name: (ns: string) => string): string => {
  if (attempt.send === 'frame' || attempt.send === 'tap') return `# a frame from ${attempt.ns} by ${attempt.dev}`
  const { ns, to, from, dev, ttl, size, df, mark, tos } = attempt
  const given = (word: string, value: unknown): string => (value === undefined ? '' : ` ${word} ${value}`)
  const at = `ip netns exec ${name(ns)}`
  const source = from === undefined ? undefined : showIp(from)
  if (attempt.send === 'ping')
    return `${at} ping -c 1 -W 1${given('-I', source)}${given('-I', dev)}${given('-t', ttl)}${given('-s', size)}${given('-M', df === undefined ? undefined : df ? 'do' : 'dont')}${given('-m', mark)}${given('-Q', tos)} ${showIp(to)}`
  const { listener, port } = attempt
  const rest = Object.entries({ from: source, dev, ttl, tos, size, df, mark }).filter(
    ([, value]) => value !== undefined,
  )
  const said = [
    listener === null ? 'nobody listens' : `${listener.ns} echoes at ${listener.port}`,
    ...rest.map(([key, value]) => `${key} ${value}`),
  ].join(', ')
  return `${at} nc${attempt.send === 'udp' ? ' -u' : ''} -w 1 ${showIp(to)} ${port} # ${said}`
}

/** As the namespaces of programs are when packets are sent. */
const unrationed = (space: string): string =>
  `ip netns exec ${space} sysctl -qw ${UNRATIONED.map((name) => `${name}=0`).join(' ')}`

const ruledBy = ({ ns, script }: Ruled, name: (ns: string) => string): string =>
  `ip netns exec ${name(ns)} nft '${script}'`

/** For Linux: to be run by root; it removes what it makes. */
export const linuxScript = ({ program, rules, tries }: Case): string =>
  [
    '#!/bin/sh',
    `trap 'for ns in ${spacesOf(program).join(' ')}; do ip netns delete $ns; done 2>/dev/null' EXIT`,
    ...program.flatMap((request) => [lineOf(request, ofLinux), ...quiet(request)]),
    ...(tries.length === 0 ? [] : spacesOf(program).map(unrationed)),
    ...rules.map((ruled) => ruledBy(ruled, ofLinux)),
    ...tries.map((attempt) => tryOf(attempt, ofLinux)),
  ].join('\n')

/** For the simulation's shell. */
export const simulatedScript = ({ program, rules, tries }: Case): string =>
  [
    ...program.map((request) => lineOf(request, (ns) => ns)),
    ...rules.map((ruled) => ruledBy(ruled, (ns) => ns)),
    ...tries.map((attempt) => tryOf(attempt, (ns) => ns)),
  ].join('\n')

const TITLES: Readonly<Record<Difference['of'], string>> = {
  errno: '# The last command is answered',
  stack: '# After the last command, only one of them has',
  rules: '# Of the last ruleset nft says',
  learned: '# After the last packet, only one of them has',
  try: '# Of the last packet, only one of them says',
}

/** Both scripts, and what the kernels told after the last command. */
export const report = (one: Case, { of, simulated, real }: Difference): string => {
  const told = (who: string, lines: ReadonlyArray<string>) => [`  ${who}:`, ...lines.map((line) => `    ${line}`)]
  return [
    '# On Linux',
    linuxScript(one),
    '',
    '# In the simulation',
    simulatedScript(one),
    '',
    TITLES[of],
    ...told('the simulation', simulated),
    ...told('Linux', real),
  ].join('\n')
}
