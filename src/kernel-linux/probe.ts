// Probes from inside a namespace: ping(8) for ICMP, an agent for TCP and UDP. Probes that want one listener share it; it
// lasts as long as one of them does.

import type { Failure, KernelError, Probe, Verdict } from '../kernel/kernel.ts'
import { isIp4, showIp } from '../net/ip.ts'
import { E, type Either } from '../prelude.ts'
import type { Answer, Transport } from './agent-protocol.ts'
import type { Agents } from './agents.ts'
import { complaintOf, noNamespace, pingFailure } from './errno.ts'
import { limitOf } from './limit.ts'
import type { Names } from './names.ts'
import { type Run, unavailable } from './run.ts'

type Result<A> = Promise<Either<KernelError, A>>
type SocketProbe = Extract<Probe, { proto: Transport }>
type PingProbe = Extract<Probe, { proto: 'icmp' }>

/** A listener in use: `token` is null if the port is somebody else's. */
type Shared = { users: number; readonly token: Result<string | null> }

const died = (how: Failure): Verdict => ({ tag: 'died', how, where: null, why: null })

/** A port that only another probe's listener answers on is closed, as far as this probe is concerned. */
const verdictOf = (answer: Answer, token: string | null): Verdict => {
  switch (answer.tag) {
    case 'arrived':
      return answer.token === null || answer.token === token ? { tag: 'arrived' } : died('refused')
    case 'died':
      return died(answer.how)
    case 'done':
    case 'busy':
      throw new Error(`a connection cannot end as ${answer.tag}`)
  }
}

export type Prober = (probe: Probe) => Result<Verdict>

/** Most of what runs at once is waiting for an answer that will not come. */
const AT_ONCE = 256

export const proberOf = (run: Run, agents: Agents, names: Names, patienceMs: number): Prober => {
  const limit = limitOf(AT_ONCE)
  const listeners = new Map<string, Shared>()
  let tokens = 0

  const listen = async (real: string | null, proto: Transport, port: number): Result<string | null> => {
    tokens += 1
    const token = `${process.pid}-${tokens}`
    const answer = await agents.ask(real, { do: 'listen', proto, port, token })
    return E.isLeft(answer) ? answer : E.right(answer.right.tag === 'done' ? token : null)
  }

  const whileListening = async <A>(probe: SocketProbe, body: (token: string | null) => Result<A>): Result<A> => {
    const { proto, listener } = probe
    if (listener === null) return body(null)
    const real = names(listener.ns)
    const key = `${proto} ${listener.port} ${real ?? ''}`
    const shared = listeners.get(key) ?? { users: 0, token: listen(real, proto, listener.port) }
    listeners.set(key, shared)
    shared.users += 1
    try {
      const token = await shared.token
      return E.isLeft(token) ? token : await body(token.right)
    } finally {
      shared.users -= 1
      if (shared.users === 0) {
        listeners.delete(key)
        const token = await shared.token
        if (E.isRight(token) && token.right !== null) await agents.ask(real, { do: 'close', token: token.right })
      }
    }
  }

  const overSocket = (probe: SocketProbe): Result<Verdict> =>
    whileListening(probe, async (token) => {
      const { ns, proto, to, port } = probe
      const answer = await agents.ask(names(ns), { do: 'connect', proto, to: showIp(to), port, patienceMs })
      return E.isLeft(answer) ? answer : E.right(verdictOf(answer.right, token))
    })

  const overPing = async ({ ns, to }: PingProbe): Result<Verdict> => {
    const args = [isIp4(to) ? '-4' : '-6', '-n', '-c1', `-W${patienceMs / 1000}`, showIp(to)]
    const ran = await run(names(ns), 'ping', args)
    if (E.isLeft(ran)) return ran
    const { status, stdout, stderr } = ran.right
    if (noNamespace(stderr)) return E.left(unavailable(complaintOf(stderr).detail))
    return E.right(status === 0 ? { tag: 'arrived' } : died(pingFailure(status, stdout, stderr)))
  }

  return (probe) => limit(() => (probe.proto === 'icmp' ? overPing(probe) : overSocket(probe)))
}
