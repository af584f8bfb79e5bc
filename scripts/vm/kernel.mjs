// Debian's kernel, ready to boot: its package, unpacked and never installed, in a folder of the cache, without the drivers of
// hardware; and an initrd that finds the root file system (init.sh). Made once for each version of the package.

import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { say, stop } from '../lib/say.mjs'
import { ensureTools } from '../lib/setup.mjs'
import { findBinary, missingPackages } from '../lib/system.mjs'

/**
 * `version` is what `uname -r` says; the others are paths. `modules` is what is to be /lib/modules/VERSION, `config` the options
 * that it was built with.
 * @typedef {Readonly<{ version: string, image: string, initrd: string, modules: string, config: string }>} Kernel
 */

/** @type {ReadonlyArray<import('../lib/system.mjs').Tool>} */
const TOOLS = [
  { binary: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { binary: 'busybox', package: 'busybox-static' },
  { binary: 'modprobe', package: 'kmod' },
]

/** The package that depends on the newest kernel of the Debian that is installed. */
export const NEWEST = 'linux-image-amd64'

/** What the machine needs before it can read a file of ours, and the lines to us. */
const FIRST = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay']

const KEPT = [
  'boot/vmlinuz-*',
  'boot/config-*',
  ...[
    'modules.*',
    ...['arch', 'crypto', 'lib', 'net', 'drivers/char/virtio_console.ko*', 'drivers/net', 'drivers/virtio'],
    ...['fs/9p', 'fs/fscache', 'fs/netfs', 'fs/overlayfs'],
  ].map((path) => `lib/modules/*/${path.startsWith('modules') ? '' : 'kernel/'}${path}`),
]
const LEFT_OUT = ['ethernet', 'wireless', 'usb', 'phy', 'can'].map((path) => `*/drivers/net/${path}`)

/**
 * What the program prints; null if it fails.
 * @param {string} program
 * @param {ReadonlyArray<string>} args
 * @param {string} [cwd]
 */
const output = (program, args, cwd = '/') => {
  try {
    return execFileSync(findBinary(program) ?? program, args, {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 2 ** 28,
    })
  } catch {
    return null
  }
}

/**
 * The package of a kernel: what `name` depends on, if that is a kernel, or itself; null where apt knows neither.
 * @param {string} name
 */
const packageOf = (name) => {
  const depends = output('apt-cache', ['depends', name])
  return depends === null ? null : (/^ *Depends: (linux-image-\S+)/m.exec(depends)?.[1] ?? name)
}

/**
 * @param {string} folder as `unpack` left it
 * @returns {Kernel}
 */
const kernelIn = (folder) => {
  const modules = join(folder, 'lib/modules')
  const [version] = existsSync(modules) ? readdirSync(modules) : []
  if (version === undefined) throw stop("vm: the kernel's package is not as Debian's are", 69)
  return {
    version,
    image: join(folder, `boot/vmlinuz-${version}`),
    config: join(folder, `boot/config-${version}`),
    modules: join(folder, 'lib/modules', version),
    initrd: join(folder, 'initrd'),
  }
}

/**
 * An initrd of busybox, init.sh and the modules of FIRST, in the order in which they are to be loaded.
 * @param {string} folder
 * @param {Kernel} kernel
 */
const makeInitrd = (folder, { version, initrd }) => {
  const root = join(folder, 'initrd.root')
  mkdirSync(join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'lib'))
  copyFileSync(findBinary('busybox') ?? '', join(root, 'bin/busybox'))
  copyFileSync(fileURLToPath(new URL('init.sh', import.meta.url)), join(root, 'init'))
  for (const file of ['bin/busybox', 'init']) chmodSync(join(root, file), 0o755)
  const files = FIRST.flatMap((name) => {
    const told = output('modprobe', ['-d', folder, '-S', version, '--show-depends', name])
    if (told === null) throw stop(`vm: the kernel ${version} has no module ${name}`, 69)
    return [...told.matchAll(/^insmod (\S+)/gm)].map(([, path = '']) => path)
  })
  const inOrder = [...new Set(files)]
  for (const file of inOrder) copyFileSync(file, join(root, 'lib', basename(file)))
  writeFileSync(join(root, 'modules'), inOrder.map((file) => `/lib/${basename(file)}\n`).join(''))
  if (output('sh', ['-c', `find . | busybox cpio -o -H newc > ${JSON.stringify(initrd)}`], root) === null)
    throw stop('vm: busybox could not make an initrd')
  rmSync(root, { recursive: true })
}

/**
 * @param {string} name of the package
 * @param {string} folder is there afterwards, whole
 */
const unpack = (name, folder) => {
  const beside = join(folder, `../.${name}.${process.pid}`)
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside, { recursive: true })
  try {
    say(`vm: downloading Debian's package ${name} (about 70 MB, once)`)
    if (output('apt-get', ['download', name], beside) === null) throw stop(`vm: apt-get download ${name} failed`, 69)
    const [deb = ''] = readdirSync(beside)
    const words = [...LEFT_OUT.map((path) => `--exclude=${path}`), '--wildcards', ...KEPT.map((path) => `*${path}`)]
    const tar = `dpkg-deb --fsys-tarfile ${deb} | tar -x ${words.map((word) => `'${word}'`).join(' ')}`
    // Not every version has each of KEPT, which tar calls a failure.
    output('sh', ['-c', tar], beside)
    rmSync(join(beside, deb))
    if (existsSync(join(beside, 'usr/lib'))) renameSync(join(beside, 'usr/lib'), join(beside, 'lib'))
    const kernel = kernelIn(beside)
    output('depmod', ['-b', beside, kernel.version])
    makeInitrd(beside, kernel)
    renameSync(beside, folder)
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

/** Why there can be no machine here, with the way out; null: nothing is in its way. */
const whyNot = () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64'
  if (findBinary('apt-get') === null) return "it needs apt-get, for Debian's kernel"
  const missing = missingPackages(findBinary, TOOLS)
  return missing.length === 0 ? null : `it needs ${missing.join(', ')}: apt-get install ${missing.join(' ')}`
}

/** @param {string} image the package of a kernel */
const folderOf = (image) => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cnm/vm', image)

/** The kernel, if a machine can be booted with it at once; null: something is to be installed or made first. */
export const readyKernel = (name = NEWEST) => {
  if (whyNot() !== null) return null
  const image = packageOf(name)
  return image === null || !existsSync(folderOf(image)) ? null : kernelIn(folderOf(image))
}

/**
 * The kernel, with everything installed (as root) and made that was missing; otherwise an end that names the one command to run.
 * @param {string} name a package of Debian: a kernel, or one that depends on it
 * @returns {Promise<Kernel>}
 */
export const ensureKernel = async (name) => {
  await ensureTools(TOOLS, 'the virtual machine')
  const why = whyNot()
  if (why !== null) throw stop(`vm: there can be no virtual machine here: ${why}`, 69)
  const image = packageOf(name)
  if (image === null) throw stop(`vm: apt knows no package ${name}. If it should, run as root: apt-get update`, 69)
  const folder = folderOf(image)
  if (!existsSync(folder)) unpack(image, folder)
  return kernelIn(folder)
}
