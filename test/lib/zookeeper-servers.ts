// ZooKeeper servers for tests: Debian's program, in a directory of its own, on free ports of 127.0.0.1. Each is the child of a shell
// that waits for the end of its input, so when the test process ends, however it does, the shell ends the server and removes
// the directory.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ZOOKEEPER_JAR } from '../../scripts/lib/system.mjs'
import { freePorts } from './free-ports.ts'

const TICK_MS = 100

const JAVA = [
  ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  ...['-cp', `${ZOOKEEPER_JAR}:/usr/share/java/slf4j-simple.jar`],
  'org.apache.zookeeper.server.quorum.QuorumPeerMain',
]

/** `$1` the directory, then the program. Each line of its input is a signal to send, or START. */
const GUARD = `
dir=$1; shift
start() { "$@" >>"$dir/log" 2>&1 & pid=$!; }
start "$@"
while read -r word; do
  case $word in
    START) start "$@";;
    KILL) kill -KILL $pid; wait $pid;;
    *) kill -$word $pid;;
  esac
done
kill -KILL $pid
wait
rm -rf "$dir"
`

type Guard = Readonly<{ say: (word: 'KILL' | 'STOP' | 'CONT' | 'START') => void; end: () => Promise<void> }>

const guarded = (dir: string, config: string): Guard => {
  const shell = spawn('sh', ['-c', GUARD, 'sh', dir, 'java', ...JAVA, config], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const ended = once(shell, 'close')
  return {
    say: (word) => void shell.stdin.write(`${word}\n`),
    end: async () => {
      shell.stdin.end()
      await ended
    },
  }
}

/** One of the four-letter words of ZooKeeper's; '' if nobody answers. */
export const ask = (port: number, word: string): Promise<string> =>
  new Promise((resolve) => {
    let said = ''
    const socket = createConnection({ host: '127.0.0.1', port }, () => socket.write(word))
    socket.setTimeout(1000, () => socket.destroy())
    socket.on('data', (data) => {
      said += data
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(said))
  })

export type Server = Readonly<{
  port: number
  kill: () => void
  pause: () => void
  resume: () => void
  /** After `kill`: again, at the same port and with the same data. */
  start: () => void
  /** Resolves when it serves clients. */
  serving: () => Promise<void>
  leads: () => Promise<boolean>
}>

export type Ensemble = Readonly<{
  servers: ReadonlyArray<Server>
  /** HOST:PORT,... */
  hosts: string
  leader: () => Promise<Server>
  end: () => Promise<void>
}>

const CONFIG = [
  `tickTime=${TICK_MS}`,
  'initLimit=100',
  'syncLimit=30',
  'admin.enableServer=false',
  '4lw.commands.whitelist=*',
  'maxClientCnxns=0',
  'minSessionTimeout=400',
  'maxSessionTimeout=20000',
]

const until = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`${what}: not after 60 s`)
    await wait(50)
  }
}

const startServer = (port: number, id: number, quorum: ReadonlyArray<string>): Server & Pick<Guard, 'end'> => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-zookeeper-'))
  const config = join(dir, 'zoo.cfg')
  const lines = [...CONFIG, `dataDir=${dir}`, `clientPort=${port}`, 'clientPortAddress=127.0.0.1', ...quorum]
  writeFileSync(config, `${lines.join('\n')}\n`)
  writeFileSync(join(dir, 'myid'), `${id}\n`)
  const { say, end } = guarded(dir, config)
  const mode = async (): Promise<string | null> => /^Mode: (.*)$/m.exec(await ask(port, 'srvr'))?.[1] ?? null
  return {
    port,
    kill: () => say('KILL'),
    pause: () => say('STOP'),
    resume: () => say('CONT'),
    start: () => say('START'),
    serving: () => until(async () => (await mode()) !== null, `a ZooKeeper serves at port ${port}`),
    leads: async () => (await mode()) === 'leader',
    end,
  }
}

/** One by itself, or several that elect a leader. Resolves when all serve. */
export const startZookeeper = async (count: number): Promise<Ensemble> => {
  const ports = await freePorts(count * 3)
  const quorum = Array.from(
    { length: count },
    (_, i) => `server.${i + 1}=127.0.0.1:${ports[count + i]}:${ports[2 * count + i]}`,
  )
  const servers = ports.slice(0, count).map((port, i) => startServer(port, i + 1, count === 1 ? [] : quorum))
  const ensemble: Ensemble = {
    servers,
    hosts: servers.map(({ port }) => `127.0.0.1:${port}`).join(','),
    leader: async () => {
      let found: Server | undefined
      await until(async () => {
        for (const server of servers) if (await server.leads()) found = server
        return found !== undefined
      }, 'one of the ZooKeepers leads')
      return found ?? Promise.reject(new Error('nobody leads'))
    },
    end: async () => void (await Promise.all(servers.map(({ end }) => end()))),
  }
  try {
    for (const server of servers) await server.serving()
    return ensemble
  } catch (defect) {
    await ensemble.end()
    throw defect
  }
}
