// Three places where the same command runs: the real programs in namespaces that nobody else sees, our shell on Linux, our shell on
// the simulated kernel. The real ones are in a mount namespace of their own, so that `ip netns add red` makes no name outside.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { hold } from '../../src/cli/shell/hold.ts'
import { linuxTerminal } from '../../src/cli/shell/linux-terminal.ts'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type Lab, labNames, netnsPath } from '../../src/kernel-linux/names.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { HOST, ns } from '../../src/net/name.ts'
import type { Done } from '../../src/shell/done.ts'
import { readScript } from '../../src/shell/line/script.ts'
import { newShell, type Shell, step } from '../../src/shell/shell.ts'
import type { Terminal } from '../../src/shell/terminal.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { bareMachine } from '../lockstep/requests/machine.ts'

export type Room = Readonly<{ run: (line: string) => Promise<Done>; close: () => Promise<void> }>

/** Addresses are usable at once, as in the simulation, which has no detection of duplicates. */
const NO_DAD = 'net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0'
const ADDS = /^ip netns add ([\w.-]+)$/

/** A shell on a terminal, command by command. */
export const shellRoom = (
  terminal: Terminal,
  settle: (space: string) => void = () => {},
  close: () => Promise<void> = async () => {},
): Room => {
  let shell: Shell = newShell(HOST)
  return {
    run: async (line) => {
      let done: Done = { status: shell.last, stdout: '', stderr: '' }
      const script = rightOf(readScript(line))
      for (const [at, command] of script.entries()) {
        const next = rightOf(await hold(terminal, step(shell, command, script[at + 1] ?? null)))
        shell = next.shell
        done = next.done ?? done
      }
      const added = ADDS.exec(line)?.[1]
      if (added !== undefined && done.status === 0) settle(added)
      return done
    },
    close,
  }
}

/** With a kernel that can do what that of this machine can. */
export const simRoom = async (): Promise<Room> => shellRoom(simTerminal(hostWorld(await bareMachine())))

const ENV = { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }
const inside = (words: ReadonlyArray<string>, command: string): Done => {
  const ran = spawnSync('nsenter', [...words, '--', 'sh', '-c', command], { encoding: 'utf8', env: ENV })
  return { status: ran.status ?? -1, stdout: ran.stdout, stderr: ran.stderr }
}

export const linuxRoom = async (lab: Lab): Promise<Room> => {
  rightOf(await removeLab(lab))
  const terminal = linuxTerminal(lab, 'netlink', new AbortController().signal)
  rightOf(await terminal.ask({ ns: HOST, ask: { on: 'netns', do: 'add' } })())
  const quiet = (space: string): void => {
    inside([`--net=${netnsPath(labNames(lab)(ns(space)) ?? '')}`], `sysctl -qw ${NO_DAD}`)
  }
  quiet(HOST)
  return shellRoom(terminal, quiet, async () => {
    rightOf(await removeLab(lab))
  })
}

const begun = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', (status) => reject(new Error(`unshare ended with ${status}`)))
  })

/** It ends when its standard input does: with this process at the latest, and all that it made with it. */
export const realRoom = async (): Promise<Room> => {
  const script = `mkdir -p /run/netns; mount -t tmpfs none /run/netns; sysctl -qw ${NO_DAD}; echo ready; exec cat`
  const child = spawn('unshare', ['--net', '--mount', 'sh', '-c', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: ENV,
  })
  await begun(child)
  const words = ['-t', String(child.pid), '--net', '--mount']
  return {
    run: async (line) => {
      const done = inside(words, line)
      const added = ADDS.exec(line)?.[1]
      if (added !== undefined && done.status === 0) inside(words, `ip netns exec ${added} sysctl -qw ${NO_DAD}`)
      return done
    },
    close: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve())
        child.stdin?.end()
      }),
  }
}
