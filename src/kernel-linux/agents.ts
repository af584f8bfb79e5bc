// One probing agent for each namespace, started when first needed. Each reads requests from a pipe of ours, so all of them
// end with this process, however it ends.

import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import type { Answer, Request } from './agent-protocol.ts'
import { complaintOf } from './errno.ts'
import { limitOf } from './limit.ts'
import { inNamespace, unavailable } from './run.ts'

type Agent = Readonly<{
  ask: (request: Request) => Promise<Either<KernelError, Answer>>
  end: () => Promise<void>
}>

export type Agents = Readonly<{
  /** Asks the agent of a namespace (null: this process's own); starts it if need be. */
  ask: (real: string | null, request: Request) => Promise<Either<KernelError, Answer>>
  /** Ends the agent of a namespace, if there is one. */
  vacate: (real: string | null) => Promise<void>
  close: () => Promise<void>
}>

/** Beside the running bundle, or in dist when run from source. */
const BUNDLES = ['./agent.js', '../../dist/agent.js'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** Small heaps and few threads: there may be a hundred of them. */
const FRUGAL = ['--max-semi-space-size=1', '--v8-pool-size=1']
const GRACE_MS = 1000
/** Each start takes a tenth of a second of a processor, which those that are answering need. */
const STARTS_AT_ONCE = 3

const start = (bundle: string, real: string | null, onEnd: () => void): Agent => {
  const [file = '', ...args] = inNamespace(real, [process.execPath, ...FRUGAL, bundle])
  const child = execa(file, args, {
    reject: false,
    buffer: { stdout: false, stderr: true },
    env: { LC_ALL: 'C', UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '' },
  })
  const waiting = new Map<number, (answer: Either<KernelError, Answer>) => void>()
  let lastId = 0
  let over: KernelError | null = null
  createInterface({ input: child.stdout }).on('line', (line) => {
    // Written by our own agent.
    const { id, answer } = JSON.parse(line) as { id: number; answer: Answer }
    waiting.get(id)?.(E.right(answer))
    waiting.delete(id)
  })
  child.stdin.on('error', () => {})
  const ended = child.then(({ stderr }) => {
    over = unavailable(
      `no probe could be made in namespace ${real ?? 'of this process'}: ${complaintOf(stderr).detail}`,
    )
    for (const resolve of waiting.values()) resolve(E.left(over))
    onEnd()
  })
  return {
    ask: (request) =>
      new Promise((resolve) => {
        if (over !== null) return resolve(E.left(over))
        lastId += 1
        waiting.set(lastId, resolve)
        child.stdin.write(`${JSON.stringify({ id: lastId, request })}\n`)
      }),
    end: async () => {
      child.stdin.end()
      const kill = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
      await ended
      clearTimeout(kill)
    },
  }
}

export const agentsOf = (): Agents => {
  const agents = new Map<string | null, Promise<Agent>>()
  const limit = limitOf(STARTS_AT_ONCE)
  const agentIn = (real: string | null, bundle: string): Promise<Agent> => {
    const held = agents.get(real)
    if (held !== undefined) return held
    const starting = limit(async () => {
      const agent = start(bundle, real, () => agents.get(real) === starting && agents.delete(real))
      // Any answer says that it runs (or that it could not be started, as later requests will hear too).
      await agent.ask({ do: 'close', token: '' })
      return agent
    })
    agents.set(real, starting)
    return starting
  }
  const vacate = async (real: string | null): Promise<void> => {
    const agent = await agents.get(real)
    agents.delete(real)
    await agent?.end()
  }
  return {
    ask: async (real, request) => {
      const bundle = BUNDLES.find((path) => existsSync(path))
      if (bundle === undefined)
        return E.left(unavailable(`the probing program ${BUNDLES[1]} is not there`, 'npm run build'))
      const agent = await agentIn(real, bundle)
      return agent.ask(request)
    },
    vacate,
    close: async () => {
      await Promise.all([...agents.keys()].map(vacate))
    },
  }
}
