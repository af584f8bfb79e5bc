// A virtual machine with a kernel of its own, on the root file system of this computer, which it sees but cannot change: what it
// writes is gone with it. One command runs in it as root; its output comes as it is written. The machine ends with this process,
// however that ends (PR_SET_PDEATHSIG, by setpriv(1)), and after the time limit.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findBinary } from '../lib/system.mjs'

/** @typedef {import('./kernel.mjs').Kernel} Kernel */

/**
 * How the machine ended. `lost`: before its command did; `console` is the end of what its kernel said.
 * @typedef {Readonly<{ tag: 'done', status: number } | { tag: 'late' } | { tag: 'stopped', signal: NodeJS.Signals } | { tag: 'lost', console: string }>} End
 */

/**
 * The lines between the machine and us, as file descriptors of qemu: the kernel's console, the command's two outputs and its status;
 * `script` is what the machine reads.
 */
const LINES = /** @type {const} */ (['console', 'out', 'err', 'status', 'script'])
const FIRST_FD = 3
const CONSOLE_BYTES = 4000

/** @param {string} word */
const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`

/**
 * The script that the machine's first process becomes: guest.sh, and what it is to do.
 * @param {Kernel} kernel
 * @param {ReadonlyArray<string>} command
 * @param {Readonly<Record<string, string>>} env
 */
const scriptOf = (kernel, command, env) =>
  [
    ...Object.entries({ PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', ...env }).map(
      ([key, value]) => `export ${key}=${quoted(value)}`,
    ),
    `version=${quoted(kernel.version)}`,
    `modules=${quoted(kernel.modules)}`,
    `config=${quoted(kernel.config)}`,
    `folder=${quoted(process.cwd())}`,
    `set -- ${command.map(quoted).join(' ')}`,
    readFileSync(new URL('guest.sh', import.meta.url), 'utf8'),
  ].join('\n')

/**
 * @param {Kernel} kernel
 * @param {Readonly<{ memoryMiB: number, scriptBytes: number }>} options
 */
const argsOf = (kernel, { memoryMiB, scriptBytes }) => [
  ...['-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max', '-smp', '2', '-m', String(memoryMiB)],
  ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
  ...['-kernel', kernel.image, '-initrd', kernel.initrd],
  ...['-append', `console=ttyS0 quiet panic=-1 cnm.script=${scriptBytes}`],
  ...['-virtfs', 'local,path=/,mount_tag=root,security_model=none,multidevs=remap,readonly=on'],
  ...LINES.flatMap((name, i) => ['-chardev', `socket,id=${name},fd=${FIRST_FD + i}`]),
  ...['-serial', 'chardev:console', '-device', 'virtio-serial-pci'],
  ...LINES.slice(1).flatMap((name, i) => ['-device', `virtserialport,chardev=${name},nr=${i + 1},name=${name}`]),
]

/**
 * Boots the machine and runs `command` in it, in the present folder. `up` is called when it begins; `out` and `err` get its output.
 * @param {Kernel} kernel
 * @param {ReadonlyArray<string>} command
 * @param {Readonly<{ limitS: number, memoryMiB: number, env: Readonly<Record<string, string>>, up: () => void, out: (data: Buffer) => void, err: (data: Buffer) => void }>} options
 * @returns {Promise<End>}
 */
export const runInMachine = (kernel, command, { limitS, memoryMiB, env, up, out, err }) =>
  new Promise((resolve, reject) => {
    const script = Buffer.from(scriptOf(kernel, command, env))
    const qemu = findBinary('qemu-system-x86_64') ?? 'qemu-system-x86_64'
    const args = argsOf(kernel, { memoryMiB, scriptBytes: script.length })
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', qemu, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', ...LINES.map(() => /** @type {const} */ ('pipe'))],
    })
    /** @type {Record<(typeof LINES)[number], string>} */
    const said = { console: '', out: '', err: '', status: '', script: '' }
    /** @type {End | null} */
    let end = null
    const finish = (/** @type {End} */ how) => {
      end ??= how
      child.kill('SIGKILL')
    }
    const hear = (/** @type {keyof typeof said} */ line, /** @type {Buffer} */ data) => {
      if (line === 'out') return out(data)
      if (line === 'err') return err(data)
      const before = said.status
      said[line] = (said[line] + data).slice(-CONSOLE_BYTES)
      if (before === '' && said.status !== '') up()
      const status = /^up\n(\d+)\n/.exec(said.status)
      if (status !== null) finish({ tag: 'done', status: Number(status[1]) })
    }
    LINES.forEach((line, i) => {
      child.stdio[FIRST_FD + i]?.on('data', (data) => hear(line, data))
    })
    const reading = child.stdio[FIRST_FD + LINES.indexOf('script')]
    // If the machine ends before it reads, that is said elsewhere.
    reading?.on('error', () => {})
    if (reading !== null && reading !== undefined && 'write' in reading) reading.write(script)
    child.stderr?.on('data', (data) => hear('console', data))
    const timer = setTimeout(() => finish({ tag: 'late' }), limitS * 1000)
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
    const stopped = (/** @type {NodeJS.Signals} */ signal) => finish({ tag: 'stopped', signal })
    for (const signal of signals) process.on(signal, stopped)
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      for (const signal of signals) process.off(signal, stopped)
      resolve(end ?? { tag: 'lost', console: said.console.trim() })
    })
  })
