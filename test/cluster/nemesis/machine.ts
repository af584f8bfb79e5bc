// Processes that the nemesis kills, stops, and starts again: servers of a store, and hosts, which are talked to in lines of JSON. The
// kernel kills them with the process that started them.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ZOOKEEPER_JAR } from '../../../scripts/lib/system.mjs'
import type { Ground } from './ground.ts'
import { SERVERS } from './plan.ts'
import type { Acted, Listed, Looked, Question, Said, Setting, StoreKind } from './protocol.ts'

export type Machine = Readonly<{
  start: () => void
  kill: () => Promise<void>
  pause: () => void
  resume: () => void
}>

export type Telling = Readonly<{
  /** It ended, and nobody had asked for it. */
  died: (node: string, why: string) => void
  said: (node: string, said: Said) => void
}>

type Started = (child: ChildProcess) => void

const COMPLAINT = 4000

const machineOf = (node: string, words: () => ReadonlyArray<string>, telling: Telling, begun: Started): Machine => {
  let child: ChildProcess | null = null
  return {
    start: () => {
      if (child !== null) return
      const [file = '', ...args] = words()
      const mine = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
      child = mine
      let complaint = ''
      mine.stderr.on('data', (part) => {
        complaint = `${complaint}${part}`.slice(-COMPLAINT)
      })
      // Who was killed does not read any more.
      mine.stdin.on('error', () => {})
      mine.on('exit', (code, signal) => {
        if (child !== mine) return
        child = null
        telling.died(node, `ended by itself (${code ?? signal}): ${complaint}`)
      })
      begun(mine)
    },
    kill: async () => {
      const mine = child
      child = null
      if (mine === null) return
      const ended = once(mine, 'exit')
      mine.kill('SIGKILL')
      await ended
    },
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  }
}

const dying = (...words: ReadonlyArray<string>): ReadonlyArray<string> => ['setpriv', '--pdeathsig', 'KILL', ...words]

const etcdAt = (ground: Ground, node: string): ReadonlyArray<string> => {
  const urls = (each: string) => {
    const [clients, peers] = ground.portsOf(each)
    const at = ground.addressOf(each)
    return { client: `http://${at}:${clients}`, peer: `http://${at}:${peers}` }
  }
  const { client, peer } = urls(node)
  return [
    ...['etcd', '--name', node, '--data-dir', join(ground.dir, node), '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster', SERVERS.map((each) => `${each}=${urls(each).peer}`).join(',')],
  ]
}

const ZOOKEEPER_CONFIG = [
  ...['tickTime=100', 'initLimit=100', 'syncLimit=30', 'admin.enableServer=false', 'maxClientCnxns=0'],
  ...['minSessionTimeout=400', 'maxSessionTimeout=20000'],
]
const JAVA = [
  ...['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  ...['-cp', `${ZOOKEEPER_JAR}:/usr/share/java/slf4j-simple.jar`],
  'org.apache.zookeeper.server.quorum.QuorumPeerMain',
]

const zookeeperAt = (ground: Ground, node: string): ReadonlyArray<string> => {
  const dir = join(ground.dir, node)
  mkdirSync(dir, { recursive: true })
  const config = join(dir, 'zoo.cfg')
  const [clients] = ground.portsOf(node)
  const lines = [
    ...ZOOKEEPER_CONFIG,
    ...[`dataDir=${dir}`, `clientPort=${clients}`, `clientPortAddress=${ground.addressOf(node)}`],
    ...SERVERS.map((each, i) => {
      const [, peers, votes] = ground.portsOf(each)
      return `server.${i + 1}=${ground.addressOf(each)}:${peers}:${votes}`
    }),
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  writeFileSync(join(dir, 'myid'), `${SERVERS.indexOf(node) + 1}\n`)
  return ['java', ...JAVA, config]
}

export const serverOf = (ground: Ground, store: StoreKind, node: string, telling: Telling): Machine => {
  const words = (): ReadonlyArray<string> => [
    ...ground.inside(node),
    ...dying(...(store === 'etcd' ? etcdAt : zookeeperAt)(ground, node)),
  ]
  return machineOf(node, words, telling, (child) => child.stdout?.resume())
}

export type Agent = Machine &
  Readonly<{
    /** Null: it died first. */
    ask: (question: Question) => Promise<Acted | Looked | Listed>
    /** Resolves when its engine is open; null, when it was ended first. */
    opened: () => Promise<void>
    isOpen: () => boolean
  }>

/** `program`: the bundle of host.ts. */
export const agentOf = (ground: Ground, program: string, setting: Setting, telling: Telling): Agent => {
  const node = setting.host
  const words = (): ReadonlyArray<string> => [
    ...ground.inside(node),
    ...dying(process.execPath, program, JSON.stringify(setting)),
  ]
  let asked = 0
  let current: ChildProcess | null = null
  let isOpen = false
  const waiting = new Map<number, (answer: Acted | Looked | Listed) => void>()
  const openers = new Set<() => void>()

  const hear = (said: Said): void => {
    if (said.tag === 'answer') {
      waiting.get(said.id)?.(said.answer)
      waiting.delete(said.id)
    } else {
      if (said.tag === 'open') {
        isOpen = true
        for (const open of openers) open()
        openers.clear()
      }
      telling.said(node, said)
    }
  }
  const begun: Started = (child) => {
    current = child
    isOpen = false
    // A cast: it writes them (host.ts).
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => hear(JSON.parse(line) as Said))
    child.on('close', () => {
      if (current !== child) return
      isOpen = false
      current = null
      for (const answer of waiting.values()) answer(null)
      waiting.clear()
    })
  }
  const machine = machineOf(node, words, telling, begun)
  return {
    ...machine,
    kill: async () => {
      const mine = current
      const closed = mine === null || mine.exitCode !== null ? null : once(mine, 'close')
      await machine.kill()
      await closed
    },
    ask: (question) =>
      new Promise((resolve) => {
        if (current === null) return resolve(null)
        asked += 1
        waiting.set(asked, resolve)
        current.stdin?.write(`${JSON.stringify({ ...question, id: asked })}\n`)
      }),
    opened: () =>
      new Promise((resolve) => {
        if (isOpen) resolve()
        else openers.add(resolve)
      }),
    isOpen: () => isOpen,
  }
}
