// The commands that make segments in their namespace: bridges that learn at once and say nothing of their own, ports, and netem.

import type { KernelError } from '../../../kernel/kernel.ts'
import { type Run, unavailable } from '../../../kernel-linux/run.ts'
import { E, type Either } from '../../../prelude.ts'
import { runProgram } from './program.ts'

type Words = ReadonlyArray<string>
/** A sentence says why it cannot be; null: it is done. */
type Told = Promise<Either<KernelError, string | null>>

export type Runner = Readonly<{
  /** `ip` outside of all namespaces, and what follows. */
  outside: (words: Words, then: () => Told) => Told
  /** Its devices have no addresses. */
  quiet: () => Told
  bridge: (name: string) => Told
  /** From a device in a namespace to a port here. */
  cable: (real: string, dev: string, port: string) => Told
  master: (port: string, bridge: string | null) => Told
  shaped: (dev: string, netem: Words) => Told
  withoutShape: (dev: string) => Told
}>

const NEVER = new AbortController().signal

export const runnerIn = (run: Run, middle: string): Runner => {
  const told = async (tool: 'ip' | 'sysctl', real: string | null, words: Words): Told => {
    const ran = await run(real, tool, words)
    if (E.isLeft(ran)) return ran
    return E.right(ran.right.status === 0 ? null : `${tool}: ${ran.right.stderr.trim()}`)
  }
  const ip = (...words: Words): Told => told('ip', middle, words)
  const tc = async (...words: Words): Told => {
    const done = await runProgram(middle, { name: 'tc', words, input: '' }, NEVER)
    if (done === null) return E.left(unavailable('the program tc was not found', 'apt-get install iproute2'))
    return E.right(done.status === 0 ? null : done.stderr.trim())
  }
  return {
    outside: async (words, then) => {
      const done = await told('ip', null, words)
      return E.isRight(done) && done.right === null ? then() : done
    },
    quiet: () =>
      told('sysctl', middle, ['-qw', 'net.ipv6.conf.default.disable_ipv6=1', 'net.ipv6.conf.all.disable_ipv6=1']),
    bridge: (name) => ip('link', 'add', name, 'up', 'type', 'bridge', 'mcast_snooping', '0'),
    cable: async (real, dev, port) => {
      const made = await ip('link', 'add', port, 'type', 'veth', 'peer', 'name', dev, 'netns', real)
      return E.isRight(made) && made.right === null ? ip('link', 'set', port, 'up') : made
    },
    master: (port, bridge) =>
      bridge === null ? ip('link', 'set', port, 'nomaster') : ip('link', 'set', port, 'master', bridge),
    shaped: async (dev, netem) => {
      const done = await tc('qdisc', 'replace', 'dev', dev, 'root', 'netem', ...netem)
      return E.isLeft(done) || done.right === null
        ? done
        : E.right(`segment: the kernel of this machine cannot do "${netem.join(' ')}" (tc-netem(8)): ${done.right}`)
    },
    withoutShape: async (dev) => {
      await tc('qdisc', 'del', 'dev', dev, 'root')
      return E.right(null)
    },
  }
}
