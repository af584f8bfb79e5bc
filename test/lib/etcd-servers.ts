// Servers of etcd on 127.0.0.1, in a directory that is gone afterwards. The kernel kills them with the process that started them
// (PR_SET_PDEATHSIG), so that none is left when a test dies.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts } from './free-ports.ts'

export type EtcdServer = Readonly<{
  port: number
  /** SIGSTOP and SIGCONT, which it does not notice. */
  pause: () => void
  resume: () => void
  kill: () => Promise<void>
  /** On what it had when it was killed. */
  start: () => void
  request: (
    path: string,
    body: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<ReadonlyMap<string, unknown>>
}>

export type Cluster = Readonly<{
  servers: ReadonlyArray<EtcdServer>
  /** HOST:PORT,... */
  hosts: string
  ready: () => Promise<void>
  /** Which of the servers that answer leads. */
  leader: () => Promise<EtcdServer>
  end: () => Promise<void>
}>

/** `flags`: of every server. `scheme`: what clients speak; of https the flags name the certificates. */
export type EtcdOptions = Readonly<{ size?: number; flags?: ReadonlyArray<string>; scheme?: 'http' | 'https' }>

type Place = Readonly<{ dir: string; name: string; port: number; peers: number }>

const READY_MS = 30_000

const serverAt = ({ dir, name, port, peers }: Place, all: string, { flags = [], scheme = 'http' }: EtcdOptions) => {
  const [client, peer] = [`${scheme}://127.0.0.1:${port}`, `http://127.0.0.1:${peers}`]
  const args = [
    ['--name', name, '--data-dir', join(dir, name), '--log-level', 'error', '--initial-cluster', all],
    ['--listen-client-urls', client, '--advertise-client-urls', client],
    ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    flags,
  ].flat()
  let child: ChildProcess | null = null
  let complaint = ''
  const start = (): void => {
    child = spawn('setpriv', ['--pdeathsig', 'KILL', 'etcd', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (part) => {
      complaint += part
    })
  }
  start()
  return {
    port,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill: async () => {
      const dying = child
      child = null
      if (dying === null || dying.exitCode !== null || dying.signalCode !== null) return
      const ended = once(dying, 'exit')
      dying.kill('SIGKILL')
      await ended
    },
    start,
    request: async (path: string, body: object, headers: Readonly<Record<string, string>> = {}) => {
      const answer = await fetch(`${client}/v3/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(2000),
      })
      const json: unknown = await answer.json()
      return new Map(Object.entries(typeof json === 'object' ? (json ?? {}) : {}))
    },
    complaint: () => complaint,
  }
}

const untilThere = async <A>(find: () => Promise<A | null>, complaint: () => string): Promise<A> => {
  for (const start = performance.now(); performance.now() - start < READY_MS; await wait(20)) {
    const found = await find()
    if (found !== null) return found
  }
  throw new Error(complaint())
}

export const startEtcd = async (options: EtcdOptions = {}): Promise<Cluster> => {
  const { size = 1, scheme = 'http' } = options
  const dir = mkdtempSync(join(tmpdir(), 'cnm-etcd-'))
  const ports = await freePorts(2 * size)
  const places = Array.from({ length: size }, (_, i) => ({
    dir,
    name: `m${i}`,
    port: ports[2 * i] ?? 0,
    peers: ports[2 * i + 1] ?? 0,
  }))
  const all = places.map(({ name, peers }) => `${name}=http://127.0.0.1:${peers}`).join(',')
  const servers = places.map((place) => serverAt(place, all, options))

  const leaderOf = async (server: (typeof servers)[number]): Promise<EtcdServer | null> => {
    const status = await server.request('maintenance/status', {}).catch(() => null)
    const header: unknown = status?.get('header')
    const isLeader = typeof header === 'object' && header !== null && 'member_id' in header
    return isLeader && header.member_id === status?.get('leader') ? server : null
  }
  const cluster: Cluster = {
    servers,
    hosts: places.map(({ port }) => `127.0.0.1:${port}`).join(','),
    ready: async () => {
      // Who asks for certificates is ready for those who have one.
      if (scheme === 'https') return
      for (const server of servers)
        await untilThere(
          async () => {
            const answer = await server.request('kv/range', { key: 'AA==' }).catch(() => null)
            const isReady =
              answer?.has('header') === true || String(answer?.get('error')).includes('user name is empty')
            return isReady ? true : null
          },
          () => server.complaint(),
        )
    },
    leader: () =>
      untilThere(
        async () => (await Promise.all(servers.map(leaderOf))).find((leader) => leader !== null) ?? null,
        () => 'there is no leader',
      ),
    end: async () => {
      await Promise.all(servers.map((server) => server.kill()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    await cluster.ready()
  } catch (error) {
    await cluster.end()
    throw error
  }
  return cluster
}
