// Where the machines of a run are: each in a network namespace of its own, all on a bridge in a further one, with packets between these
// namespaces only; who is cut off drops what comes. Or all here, on 127.0.0.1, where nobody can be cut off.
// Everything is gone afterwards, also when this process is killed: a shell that waits for its end takes it away.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { type Lab, labNames, labPrefix, NETNS_DIR, netnsPath, parseLab } from '../../../src/kernel-linux/names.ts'
import { HOST } from '../../../src/net/name.ts'
import { E } from '../../../src/prelude.ts'
import { freePorts } from '../../lib/free-ports.ts'
import { ownLab } from '../../lib/own-names.ts'
import { type Cut, HOSTS, NODES } from './plan.ts'

export type Ground = Readonly<{
  /** Of the servers' data and of programs. */
  dir: string
  /** What begins a command there. */
  inside: (node: string) => ReadonlyArray<string>
  addressOf: (node: string) => string
  /** Ports of a server: for clients, and two for other servers. */
  portsOf: (node: string) => readonly [number, number, number]
  /** Null: there is no kernel of its own. */
  labOf: (host: string) => Lab | null
  /** All that is cut from now on. */
  cut: (cuts: ReadonlyArray<Cut>) => Promise<void>
  /** What is left on the machine of a host after all was deleted that its engine had. */
  leftOn: (host: string) => Promise<ReadonlyArray<string>>
  remove: () => Promise<void>
}>

const SWITCH = 'switch'
const NET = '192.0.2'
const UPLINK = 'up0'

/** `$1`: what the names of our namespaces begin with; `$2`: our directory. Processes in them end with their parent. */
const GUARD = `
trap '' INT TERM HUP
cat >/dev/null
for try in 1 2 3 4 5 6 7 8 9; do
  left=
  for path in ${NETNS_DIR}/"$1"*; do
    if [ -e "$path" ]; then left=yes; ip netns delete "\${path##*/}" 2>/dev/null; fi
  done
  [ -z "$left" ] && break
  sleep 0.2
done
rm -rf "$2"
`

type Guard = Readonly<{ end: () => Promise<void> }>
const guarded = (prefix: string, dir: string): Guard => {
  const shell = spawn('sh', ['-c', GUARD, 'sh', prefix, dir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  const ended = once(shell, 'close')
  return {
    end: async () => {
      shell.stdin.end()
      await ended
    },
  }
}

const freshDir = (): string => mkdtempSync(join(tmpdir(), 'cnm-nemesis-'))

const labFor = (node: string): Lab => {
  const lab = parseLab(ownLab(`nem-${node}`))
  if (E.isLeft(lab)) throw new Error(lab.left)
  return lab.right
}
const namespaceOf = (node: string): string => labNames(labFor(node))(HOST) ?? ''
const addressOf = (node: string): string => `${NET}.${10 + NODES.indexOf(node)}`

const SETTING = (): string =>
  [
    'set -e',
    `ip netns add ${namespaceOf(SWITCH)}`,
    `ip -n ${namespaceOf(SWITCH)} link add name wire type bridge`,
    `ip -n ${namespaceOf(SWITCH)} address add ${NET}.1/24 dev wire`,
    `ip -n ${namespaceOf(SWITCH)} link set wire up`,
    `ip -n ${namespaceOf(SWITCH)} link set lo up`,
    ...NODES.flatMap((node) => [
      `ip netns add ${namespaceOf(node)}`,
      `ip -n ${namespaceOf(SWITCH)} link add name to-${node} type veth peer name ${UPLINK} netns ${namespaceOf(node)}`,
      `ip -n ${namespaceOf(SWITCH)} link set to-${node} master wire up`,
      `ip -n ${namespaceOf(node)} address add ${addressOf(node)}/24 dev ${UPLINK}`,
      `ip -n ${namespaceOf(node)} link set ${UPLINK} up`,
      `ip -n ${namespaceOf(node)} link set lo up`,
    ]),
  ].join('\n')

/** In the namespace of who does not hear. */
const deafening = (from: ReadonlyArray<string>): string =>
  `table inet nemesis
delete table inet nemesis
${
  from.length === 0
    ? ''
    : `table inet nemesis {
  chain input {
    type filter hook input priority -300
    ip saddr { ${from.map(addressOf).join(', ')} } drop
  }
}`
}
`

const cutter = (): Ground['cut'] => {
  const now = new Map<string, string>()
  return async (cuts) => {
    const changed = NODES.flatMap((node) => {
      const from = [...new Set(cuts.filter(({ to }) => to === node).map((each) => each.from))].sort()
      if ((now.get(node) ?? '') === from.join()) return []
      now.set(node, from.join())
      return [{ node, from }]
    })
    await Promise.all(
      changed.map(({ node, from }) =>
        execa('nsenter', [`--net=${netnsPath(namespaceOf(node))}`, '--', 'nft', '-f', '-'], { input: deafening(from) }),
      ),
    )
  }
}

const linksOf = async (host: string): Promise<ReadonlyArray<string>> => {
  const { stdout } = await execa('ip', ['-n', namespaceOf(host), '-j', 'link', 'show'])
  // A cast: what iproute2 prints.
  return (JSON.parse(stdout) as ReadonlyArray<Readonly<{ ifname: string }>>).map(({ ifname }) => ifname)
}

/** What is new on hosts that have these links by themselves. */
const leavings = async (): Promise<Ground['leftOn']> => {
  const before = new Map(await Promise.all(HOSTS.map(async (host) => [host, await linksOf(host)] as const)))
  return async (host) => {
    const links = (await linksOf(host)).filter((name) => !before.get(host)?.includes(name))
    const prefix = labPrefix(labFor(host))
    const spaces = readdirSync(NETNS_DIR).filter((name) => name.startsWith(prefix) && name !== namespaceOf(host))
    return [...links.map((name) => `link ${name}`), ...spaces.map((name) => `namespace ${name}`)]
  }
}

export const namespaces = async (): Promise<Ground> => {
  const dir = freshDir()
  const prefix = labPrefix(labFor('x')).replace(/x-$/, '')
  const guard = guarded(prefix, dir)
  try {
    await execa('sh', ['-s'], { input: SETTING() })
    return {
      dir,
      inside: (node) => ['nsenter', `--net=${netnsPath(namespaceOf(NODES.includes(node) ? node : SWITCH))}`, '--'],
      addressOf,
      portsOf: () => [2379, 2380, 2381],
      labOf: (host) => (HOSTS.includes(host) ? labFor(host) : null),
      cut: cutter(),
      leftOn: await leavings(),
      remove: guard.end,
    }
  } catch (error) {
    await guard.end()
    throw error
  }
}

export const here = async (): Promise<Ground> => {
  const dir = freshDir()
  const guard = guarded('cnm-nothing-of-that-name', dir)
  const ports = await freePorts(3 * NODES.length)
  const portOf = (node: string, n: number): number => ports[3 * NODES.indexOf(node) + n] ?? 0
  return {
    dir,
    inside: () => [],
    addressOf: () => '127.0.0.1',
    portsOf: (node) => [portOf(node, 0), portOf(node, 1), portOf(node, 2)],
    labOf: () => null,
    cut: async () => {},
    leftOn: async () => [],
    remove: guard.end,
  }
}
