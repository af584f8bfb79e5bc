// Servers of Consul on 127.0.0.1, in a directory that is gone afterwards. The kernel kills them with the process that started them
// (PR_SET_PDEATHSIG), so that none is left when a test dies.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findConsulBinary } from '../../scripts/lib/system.mjs'
import { freePorts } from './free-ports.ts'

export type ConsulServer = Readonly<{
  port: number
  /** SIGSTOP and SIGCONT, which it does not notice. */
  pause: () => void
  resume: () => void
  kill: () => Promise<void>
  /** On what it had when it was killed. */
  start: () => void
  /** `path`: below /v1/. The text of the answer, whatever its status. */
  request: (method: string, path: string, body?: object | string, token?: string) => Promise<string>
}>

export type ConsulCluster = Readonly<{
  servers: ReadonlyArray<ConsulServer>
  /** HOST:PORT,... */
  hosts: string
  ready: () => Promise<void>
  /** Which of the servers leads. */
  leader: () => Promise<ConsulServer>
  end: () => Promise<void>
}>

/** `config`: of every server, beside its own. `https`: instead of HTTP. */
export type ConsulOptions = Readonly<{ size?: number; config?: object; https?: boolean; token?: string }>

type Place = Readonly<{ dir: string; name: string; http: number; server: number; lan: number }>

const READY_MS = 60_000

/** Elections and sessions as quick as they may be. */
const configOf = (
  { dir, name, http, server, lan }: Place,
  all: ReadonlyArray<Place>,
  { config = {}, https = false }: ConsulOptions,
): object => ({
  server: true,
  node_name: name,
  data_dir: join(dir, name),
  bind_addr: '127.0.0.1',
  client_addr: '127.0.0.1',
  bootstrap_expect: all.length,
  retry_join: all.filter((other) => other.name !== name).map((other) => `127.0.0.1:${other.lan}`),
  retry_interval: '300ms',
  ports: { http: https ? -1 : http, https: https ? http : -1, server, serf_lan: lan, serf_wan: -1, dns: -1, grpc: -1 },
  session_ttl_min: '1s',
  performance: { raft_multiplier: 1 },
  log_level: 'err',
  leave_on_terminate: false,
  disable_update_check: true,
  limits: { http_max_conns_per_client: 1000 },
  ...config,
})

const serverAt = (place: Place, all: ReadonlyArray<Place>, options: ConsulOptions) => {
  const file = join(place.dir, `${place.name}.json`)
  mkdirSync(join(place.dir, place.name))
  writeFileSync(file, JSON.stringify(configOf(place, all, options)))
  const binary = findConsulBinary() ?? 'consul'
  let child: ChildProcess | null = null
  let complaint = ''
  const start = (): void => {
    child = spawn('setpriv', ['--pdeathsig', 'KILL', binary, 'agent', '-config-file', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (part) => {
        complaint = `${complaint}${part}`.slice(-4000)
      })
  }
  start()
  return {
    port: place.http,
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
    request: async (method: string, path: string, body?: object | string, token = options.token) => {
      const answer = await fetch(`http://127.0.0.1:${place.http}/v1/${path}`, {
        method,
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        ...(token === undefined ? {} : { headers: { 'x-consul-token': token } }),
        signal: AbortSignal.timeout(2000),
      })
      return answer.text()
    },
    complaint: () => complaint,
  }
}

const untilThere = async <A>(find: () => Promise<A | null>, complaint: () => string): Promise<A> => {
  for (const start = performance.now(); performance.now() - start < READY_MS; await wait(50)) {
    const found = await find()
    if (found !== null) return found
  }
  throw new Error(complaint())
}

export const startConsul = async (options: ConsulOptions = {}): Promise<ConsulCluster> => {
  const { size = 1, https = false } = options
  const dir = mkdtempSync(join(tmpdir(), 'cnm-consul-'))
  const ports = await freePorts(3 * size)
  const places = Array.from({ length: size }, (_, i) => {
    const [http = 0, server = 0, lan = 0] = ports.slice(3 * i, 3 * i + 3)
    return { dir, name: `m${i}`, http, server, lan }
  })
  const servers = places.map((place) => serverAt(place, places, options))
  const complaints = (): string => servers.map((server) => server.complaint()).join('\n')
  const cluster: ConsulCluster = {
    servers,
    hosts: places.map(({ http }) => `127.0.0.1:${http}`).join(','),
    ready: async () => {
      // Who is asked by TLS only is ready for those who speak it.
      if (https) return
      for (const server of servers)
        await untilThere(async () => {
          const answer = await server.request('GET', 'kv/x?consistent').catch(() => 'no')
          return answer === '' || /Permission denied/.test(answer) ? true : null
        }, complaints)
    },
    leader: () =>
      untilThere(async () => {
        const said = await Promise.all(
          servers.map((server) => server.request('GET', 'status/leader').catch(() => null)),
        )
        const at = places.findIndex(({ server }) => said.includes(`"127.0.0.1:${server}"`))
        return servers[at] ?? null
      }, complaints),
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
