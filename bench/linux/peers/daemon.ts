// A dockerd of our own: its network namespace, data, sockets and cgroup are the benchmark's, and go with it, with all that runs
// in them. It calls no registry: its one image is made of a static busybox.

import { type ChildProcess, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pause } from '../kernel.ts'
import { dirFor } from '../ours.ts'
import type { Later } from '../tidy.ts'
import { type Call, callerOf } from './api.ts'
import { spawnIn } from './spawn.ts'

const PATIENCE_MS = 30_000
export const BUSYBOX = '/bin/busybox'
export const IMAGE = 'bench'

/** The first process of the PID namespace that unshare(1) has made; empty before there is one. */
const firstIn = (child: ChildProcess): string =>
  readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()

/** Ends the first process of the PID namespace, which unshare(1) waits for, and with it all the others. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  const first = firstIn(child)
  if (first === '') child.kill('SIGKILL')
  else process.kill(Number(first), 'SIGKILL')
  await ended
}

/** The folders of a cgroup, of each hierarchy, the innermost first. */
const cgroupsOf = (name: string): ReadonlyArray<string> =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, path = '', type = ''] = line.split(' ')
      return type.startsWith('cgroup') && existsSync(join(path, name)) ? [join(path, name)] : []
    })
    .flatMap((root) => {
      const below = readdirSync(root, { recursive: true, withFileTypes: true })
      const folders = below.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
      return [...folders, root].sort((a, b) => b.length - a.length)
    })

/** Takes a cgroup away, as soon as nobody is in it any more. */
const removeCgroup = async (name: string): Promise<void> => {
  const until = performance.now() + PATIENCE_MS
  for (const folder of cgroupsOf(name))
    for (;;) {
      try {
        rmdirSync(folder)
        break
      } catch (error) {
        if (performance.now() > until) throw error
        await pause(10)
      }
    }
}

const answers = async (call: Call, daemon: ChildProcess, log: string): Promise<void> => {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const up = await call('GET', '/_ping').then(
      () => true,
      () => false,
    )
    if (up) return
    if (daemon.exitCode !== null || performance.now() > until)
      throw new Error(`dockerd does not start: ${readFileSync(log, 'utf8').slice(-2000)}`)
    await pause(50)
  }
}

const imageIn = (dir: string): Buffer => {
  mkdirSync(join(dir, 'image/bin'), { recursive: true })
  copyFileSync(BUSYBOX, join(dir, 'image/bin/busybox'))
  const { status, stdout } = spawnSync('tar', ['-C', join(dir, 'image'), '-c', '.'], { maxBuffer: 1 << 28 })
  if (status !== 0) throw new Error('tar failed')
  return stdout
}

/**
 * In namespaces of their own for processes and mounts: nobody outlives the first process, which dies with the benchmark, and
 * what would be written below /run and /etc (sockets of shims, a key) goes to the benchmark's folder.
 */
const SCRIPT = `set -e
d=$1; cgroup=$2
mkdir "$d/etc" "$d/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$d/etc,workdir=$d/work" overlay /etc
mount -t tmpfs tmpfs /run
containerd --root "$d/c" --state "$d/cs" --address "$d/c.sock" &
while [ ! -S "$d/c.sock" ]; do sleep 0.05; done
exec dockerd --config-file "$d/daemon.json" --containerd "$d/c.sock" --data-root "$d/data" --exec-root "$d/exec" \\
  --pidfile "$d/pid" --host "unix://$d/docker.sock" --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$cgroup" \\
  --userland-proxy=false
`

/** `root`: where its own mounts are seen, of which the namespaces of its containers are some. */
export type Docker = Readonly<{ call: Call; root: string }>

/** Starts it in the namespace of this path. */
export const startDocker = async (later: Later, host: string, what: string): Promise<Docker> => {
  const dir = dirFor(later)
  const cgroup = `/cnm-bench-${what}-${process.pid}`
  const at = (name: string): string => join(dir, name)
  writeFileSync(at('daemon.json'), '{}')
  const log = openSync(at('log'), 'a')
  const words = [
    '--pdeathsig',
    'KILL',
    'unshare',
    '--mount',
    '--propagation',
    'slave',
    '--pid',
    '--fork',
    '--kill-child',
  ]
  const script = ['--mount-proc', '--', 'sh', '-c', SCRIPT, 'sh', dir, cgroup]
  later(() => removeCgroup(cgroup))
  const daemon = spawnIn(host, 'setpriv', [...words, ...script], { stdio: ['ignore', log, log] })
  later(() => end(daemon))
  closeSync(log)
  const call = callerOf(at('docker.sock'))
  await answers(call, daemon, at('log'))
  await call('POST', `/images/create?fromSrc=-&repo=${IMAGE}`, imageIn(dir))
  return { call, root: `/proc/${firstIn(daemon)}/root` }
}
