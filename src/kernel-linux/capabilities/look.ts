// One look at this machine for its capabilities. It reads, and tries in namespaces that vanish (trial.ts), and changes nothing;
// anybody may do it.
// Source: proc(5), capabilities(7), user_namespaces(7), Documentation/admin-guide/sysctl/kernel.rst.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { release } from 'node:os'
import type Koffi from 'koffi'
import { E } from '../../prelude.ts'
import { type Ability, type Capabilities, mayChange, type User } from '../capabilities.ts'
import { showNetlinkError } from '../netlink/error.ts'
import { loadLibc } from '../netlink/libc.ts'
import { type Run, runWithin, TOOLS, type Tool } from '../run.ts'
import { sleepingModules } from './modules.ts'
import { type Entry, THERE, triedNowhere, tryEntry, tryOut } from './trial.ts'

const CAP_NET_ADMIN = 12n
const CAP_SYS_ADMIN = 21n

/** Null where there is no such file, or it is not to be read. */
const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return null
  }
}

/** In the first user namespace all ids are mapped to themselves. */
const FIRST_MAP = /^\s*0\s+0\s+4294967295$/

/** Quick: two files of /proc. */
export const lookAtUser = (): User => {
  const status = textOf('/proc/self/status') ?? ''
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  const map = textOf('/proc/self/uid_map')
  return {
    uid: process.getuid?.() ?? -1,
    netAdmin: (held & (1n << CAP_NET_ADMIN)) !== 0n,
    sysAdmin: (held & (1n << CAP_SYS_ADMIN)) !== 0n,
    inUserNamespace: map !== null && !FIRST_MAP.test(map),
  }
}

/** The setting that keeps users from making user namespaces, if one does. */
const CLOSED: ReadonlyArray<readonly [string, string]> = [
  ['user/max_user_namespaces', '0'],
  ['kernel/unprivileged_userns_clone', '0'],
  ['kernel/apparmor_restrict_unprivileged_userns', '1'],
]

const IN_USER_NAMESPACE: Entry = ['--user', '--map-root-user', '--net', '--mount']

/** That they can be made, and things be done in them that need rights. */
export const lookAtUserns = async (run: Run = runWithin(1)): Promise<Ability> => {
  const tried = await tryEntry(run, IN_USER_NAMESPACE)
  if (tried.is !== 'lacking') return tried
  const [closed] = CLOSED.filter(([name, value]) => textOf(`/proc/sys/${name}`) === value)
  if (closed === undefined) return tried
  const [name, value] = closed
  return { is: 'lacking', why: `${tried.why} (the sysctl ${name.replaceAll('/', '.')} is ${value})` }
}

const lookAtIp6 = (): Ability => {
  const disabled = textOf('/proc/sys/net/ipv6/conf/all/disable_ipv6')
  if (disabled === null) return { is: 'lacking', why: 'the kernel was built or started without it' }
  return disabled === '0'
    ? THERE
    : { is: 'lacking', why: `the sysctl net.ipv6.conf.all.disable_ipv6 is ${disabled} in this network namespace` }
}

const lookAtBrNetfilter = (isSleeping: (module: string) => boolean): Ability => {
  if (existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables')) return THERE
  return { is: 'lacking', why: isSleeping('br_netfilter') ? 'its module is not loaded' : 'this kernel has none loaded' }
}

const lookAtLibc = (): Ability => {
  const libc = loadLibc()
  return E.isRight(libc) ? THERE : { is: 'lacking', why: causeOf(showNetlinkError(libc.left)) }
}

/** The first line, without what LACKS says already. */
const causeOf = (text: string): string => (text.split('\n')[0] ?? '').replace('the C library cannot be called: ', '')

const LIBNFTABLES = 'libnftables.so.1'

const lookAtLibnftables = (): Ability => {
  try {
    const koffi: typeof Koffi = createRequire(import.meta.url)('koffi')
    koffi.load(LIBNFTABLES)
    return THERE
  } catch (error) {
    return { is: 'lacking', why: causeOf(error instanceof Error ? error.message : String(error)) }
  }
}

/** All of them answer to -V with a line that has it. */
const versionOf = async (run: Run, tool: Tool): Promise<string | null> => {
  const ran = await run(null, tool, ['-V'])
  if (E.isLeft(ran)) return null
  const { stdout, stderr } = ran.right
  return /\d[\w.]*/.exec((stdout || stderr).replace(/^\D*?iproute2-/, ''))?.[0] ?? ''
}

const versions = async (run: Run): Promise<Capabilities['tools']> => {
  const found = await Promise.all(TOOLS.map(async (tool) => [tool, await versionOf(run, tool)] as const))
  // One entry for each of TOOLS.
  return Object.fromEntries(found) as Capabilities['tools']
}

const PROCESSES = 4

/** Takes a tenth of a second: some processes are started. On Linux only. */
export const lookAtMachine = async (): Promise<Capabilities> => {
  const run = runWithin(PROCESSES)
  const user = lookAtUser()
  const isSleeping = sleepingModules()
  const tools = versions(run)
  const userns = lookAtUserns(run)
  const own = mayChange(user) ? await tryEntry(run, ['--net']) : null
  const entry: Entry = own === null ? IN_USER_NAMESPACE : ['--net']
  const netns = own ?? (await userns)
  const tried = netns.is === 'there' ? (own === null ? 'user namespace' : 'network namespace') : null
  const trials = tried === null ? triedNowhere('it cannot be tried here') : await tryOut(run, entry, isSleeping)
  const libc = lookAtLibc()
  return {
    kernel: release(),
    user,
    tried,
    features: {
      netns,
      userns: await userns,
      ...trials,
      ipv6: lookAtIp6(),
      br_netfilter: lookAtBrNetfilter(isSleeping),
      libc,
      libnftables: lookAtLibnftables(),
    },
    tools: await tools,
    transport: libc.is === 'there' ? 'netlink' : 'iproute2',
  }
}
