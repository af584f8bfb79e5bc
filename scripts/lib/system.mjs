// The programs that the parts on the real kernel call, and the Debian packages that hold them.
// They are looked up as files, also in the sbin folders that an ordinary user's PATH on Debian leaves out.

import { accessSync, constants, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * `binary`: a program's name, or the full path of a file that is none.
 * @typedef {Readonly<{ binary: string, package: string }>} Tool
 */

/** @type {ReadonlyArray<Tool>} */
export const TOOLS = [
  { binary: 'ip', package: 'iproute2' },
  { binary: 'bridge', package: 'iproute2' },
  { binary: 'nft', package: 'nftables' },
  { binary: 'ping', package: 'iputils-ping' },
  { binary: 'nsenter', package: 'util-linux' },
  { binary: 'unshare', package: 'util-linux' },
  { binary: 'sysctl', package: 'procps' },
]

/**
 * What a dockerd is made of that we start beside ours, to compare the two, and the one program in its image.
 * @type {ReadonlyArray<Tool>}
 */
export const DOCKER_TOOLS = [
  { binary: 'dockerd', package: 'docker.io' },
  { binary: 'containerd', package: 'containerd' },
  { binary: 'runc', package: 'runc' },
  { binary: 'iptables', package: 'iptables' },
  { binary: 'busybox', package: 'busybox-static' },
]

/**
 * Servers that tests start, with data and ports of their own.
 * @type {ReadonlyArray<Tool>}
 */
export const SERVER_TOOLS = [{ binary: 'etcd', package: 'etcd-server' }]

/**
 * What only tests call, each with a reason of its own to be skipped without it.
 * @type {ReadonlyArray<Tool>}
 */
export const TEST_TOOLS = [
  { binary: 'tshark', package: 'tshark' },
  { binary: 'tcpdump', package: 'tcpdump' },
]

export const ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar'

/**
 * A ZooKeeper that tests start, without the package that would be a service.
 * @type {ReadonlyArray<Tool>}
 */
export const ZOOKEEPER_TOOLS = [
  { binary: 'java', package: 'default-jre-headless' },
  { binary: ZOOKEEPER_JAR, package: 'libzookeeper-java' },
]

/** The folder of what set-up fetches and does not install. */
const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'cnm')
/** Where set-up unpacks Debian's package of Consul. */
export const CONSUL_CACHE = join(CACHE, 'consul')

const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * The program's full path, or null.
 * @param {string} name or the full path of a file, which need not be a program
 * @param {string} [path] folders as in PATH
 * @returns {string | null}
 */
export const findBinary = (name, path = process.env['PATH'] ?? '') => {
  if (isAbsolute(name)) return existsSync(name) ? name : null
  for (const folder of [...path.split(delimiter), ...SBIN]) {
    if (folder === '') continue
    const file = join(folder, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not here: look further
    }
  }
  return null
}

/**
 * Consul, which tests start: one that is installed, or the one that set-up has unpacked.
 * @returns {string | null}
 */
export const findConsulBinary = () => findBinary('consul') ?? findBinary(join(CONSUL_CACHE, 'usr/bin/consul'))

/**
 * Packages to install, each once.
 * @param {(name: string) => string | null} [find]
 * @param {ReadonlyArray<Tool>} [tools]
 * @returns {ReadonlyArray<string>}
 */
export const missingPackages = (find = findBinary, tools = TOOLS) => [
  ...new Set(tools.filter(({ binary }) => find(binary) === null).map((tool) => tool.package)),
]
