// Tries on the real kernel: what a program in a namespace sends, and what is seen of it at every device of all the namespaces
// listened to. Nothing here waits for a clock of the kernel's: what has not come after a quiet while is silence.

import type { KernelError } from '../../kernel/kernel.ts'
import type { Account, Arrival, Crossing, Ending, Try } from '../../kernel/traffic.ts'
import type { Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { type Names, netnsPath } from '../names.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { loadLibc } from '../netlink/libc.ts'
import { HERE } from '../netlink/thread.ts'
import { portError } from '../place.ts'
import { type Client, startClient } from './client.ts'
import { type Ears, openEars } from './ears.ts'
import { type Peeked, peekFrame } from './peek.ts'
import { sendByTap, sendFrame } from './raw.ts'
import { type Server, startServer } from './server.ts'
import { receiver } from './socket.ts'

export type LinuxTraffic = Readonly<{
  /** One at a time. Left: the kernel could not be asked. */
  attempt: (attempt: Try) => Promise<Either<KernelError, Account>>
  close: () => void
}>

/**
 * `quietMs`: how long nothing of a try may be heard until it is over; `afterwardsMs`: once the answer is there; `patienceMs`: how long it
 * may take at all.
 */
export type TrafficOptions = Readonly<{
  quietMs?: number
  afterwardsMs?: number
  patienceMs?: number
  vxlanPorts?: ReadonlySet<number>
}>

const QUIET_MS = 40
/** What is still to come when the answer is there: the end of a conversation. */
const AFTERWARDS_MS = 3
const PATIENCE_MS = 1000
const VXLAN_PORTS: ReadonlySet<number> = new Set([4789, 8472])
const [SYN, ACK] = [2, 16]

type What = Crossing['what']
type Raw = Extract<Try, { send: 'frame' | 'tap' }>
type Socketed = Exclude<Try, Raw>
/** What a packet is in a try, or null: it is not of it. */
type Classify = (peeked: Peeked) => What | null

/** Server and client have ports that nothing else has, so any packet tells by one of them which way it goes, translated or not. */
const classifier = (attempt: Socketed, own: number): Classify => {
  const there =
    attempt.send === 'ping' ? [] : [attempt.port, ...(attempt.listener === null ? [] : [attempt.listener.port])]
  const classify: Classify = (peeked) => {
    switch (peeked.is) {
      case 'echo':
        return attempt.send === 'ping' && peeked.id === own ? (peeked.reply ? 'answer' : 'request') : null
      case 'udp':
      case 'tcp':
        if (peeked.is !== attempt.send) return null
        if (peeked.sport === own || there.some((port) => port === peeked.dport)) return 'request'
        return peeked.dport === own || there.some((port) => port === peeked.sport) ? 'answer' : null
      case 'error':
        return peeked.about !== null && classify(peeked.about) !== null ? 'error' : null
    }
  }
  return classify
}

/** What has the addresses of a frame that was sent is that frame, wherever it comes by; others have packets of their own. */
const classifierOf = (sent: Peeked | null): Classify => {
  const classify: Classify = (peeked) => {
    if (sent === null) return null
    if (peeked.is === 'error') return peeked.about !== null && classify(peeked.about) !== null ? 'error' : null
    return peeked.is === sent.is && peeked.src === sent.src && peeked.dst === sent.dst ? 'frame' : null
  }
  return classify
}

const isFirst = (peeked: Peeked): boolean => peeked.is !== 'tcp' || (peeked.flags & (SYN | ACK)) === SYN

const keyOf = ({ ns, dev, way, what }: Crossing): string => `${ns} ${dev} ${way} ${what}`

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What is heard of one try, gathered while it lasts. */
const listener = (ears: ReadonlyArray<Ears>, sender: Ns, classify: Classify) => {
  const crossings = new Map<string, Crossing>()
  const arrivals: Arrival[] = []
  let answer: Account['answer'] = null
  return {
    /** Whether there was anything new. */
    listen: (): boolean => {
      let isNew = false
      for (const each of ears) {
        for (const { ns, dev, way, peeked } of each.captured()) {
          const what = classify(peeked)
          if (what === null) continue
          const crossing = { ns, dev, way, what }
          isNew = true
          crossings.set(keyOf(crossing), crossing)
        }
        for (const { ns, peeked } of each.delivered()) {
          const what = classify(peeked)
          const { src: from, dst: to, ttl } = peeked
          if (what === 'request' && isFirst(peeked))
            arrivals.push({ ns, from, to, port: 'dport' in peeked ? peeked.dport : null, ttl })
          if (what === 'answer' && ns === sender) answer ??= { from, ttl }
        }
      }
      return isNew
    },
    account: (ending: Ending): Account => ({
      ending,
      arrivals,
      answer,
      crossings: [...crossings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, crossing]) => crossing),
    }),
  }
}

const NOTHING: Account = { ending: 'silence', arrivals: [], answer: null, crossings: [] }

/** Listens in all these namespaces. Left: one is not there, or we may not. */
export const openTraffic = (
  names: Names,
  spaces: ReadonlyArray<Ns>,
  options: TrafficOptions = {},
): Either<KernelError, LinuxTraffic> => {
  const pathOf = (ns: Ns): string => {
    const real = names(ns)
    return real === null ? HERE : netnsPath(real)
  }
  return openTrafficIn(new Map(spaces.map((ns) => [ns, pathOf(ns)])), options)
}

/** The same in namespaces that are known by their files. */
export const openTrafficIn = (
  paths: ReadonlyMap<Ns, string>,
  {
    quietMs = QUIET_MS,
    afterwardsMs = AFTERWARDS_MS,
    patienceMs = PATIENCE_MS,
    vxlanPorts = VXLAN_PORTS,
  }: TrafficOptions = {},
): Either<KernelError, LinuxTraffic> => {
  const loaded = loadLibc()
  if (E.isLeft(loaded)) return E.left(portError('sockets', loaded.left))
  const libc = loaded.right
  const receive = receiver(libc)
  const ears: Ears[] = []
  const closeAll = (): void => {
    for (const each of ears) each.close()
  }
  for (const [ns, path] of paths) {
    const opened = openEars(libc, receive, ns, path, vxlanPorts)
    if (E.isLeft(opened)) {
      closeAll()
      return E.left(portError('sockets', opened.left))
    }
    ears.push(opened.right)
  }
  const fdOf = (ns: Ns): number | null => ears.find((each) => each.ns === ns)?.nsFd ?? null

  const follow = async (client: Client, server: Server | null, heard: ReturnType<typeof listener>): Promise<Ending> => {
    const begin = performance.now()
    let [ending, last]: [Ending | null, number] = [null, begin]
    for (;;) {
      server?.serve()
      ending ??= client.look()
      if (heard.listen()) last = performance.now()
      const now = performance.now()
      if (now - last > (ending === null ? quietMs : afterwardsMs) || now - begin > patienceMs)
        return ending ?? 'silence'
      await sleep(now - last > 2 ? 1 : 0)
    }
  }

  type Result = Either<NetlinkError, Account>

  const ofRaw = async (attempt: Raw, nsFd: number): Promise<Result> => {
    const heard = listener(ears, attempt.ns, classifierOf(peekFrame(attempt.bytes, vxlanPorts)))
    const sent = attempt.send === 'frame' ? sendFrame(libc, nsFd, attempt) : await sendByTap(libc, nsFd, attempt)
    if (E.isLeft(sent)) return sent
    const { errno, end } = sent.right
    const quiet = 3 * afterwardsMs
    for (let last = performance.now(); performance.now() - last < quiet; await sleep(1))
      if (heard.listen()) last = performance.now()
    end()
    return E.right(heard.account(errno === null ? 'sent' : { errno }))
  }

  const serverOf = (attempt: Socketed): Either<NetlinkError, Server | null> => {
    const nsFd = attempt.send === 'ping' || attempt.listener === null ? null : fdOf(attempt.listener.ns)
    if (attempt.send === 'ping' || attempt.listener === null || nsFd === null) return E.right(null)
    return startServer(libc, receive, nsFd, attempt.send, attempt.listener.port)
  }

  const ofSocket = async (attempt: Socketed, nsFd: number): Promise<Result> => {
    const server = serverOf(attempt)
    if (E.isLeft(server)) return server
    const client = startClient(libc, receive, nsFd, attempt)
    if (E.isLeft(client)) {
      server.right?.close()
      return client
    }
    const heard = listener(ears, attempt.ns, classifier(attempt, client.right.port))
    const ending = await follow(client.right, server.right, heard)
    client.right.close()
    server.right?.close()
    return E.right(heard.account(ending))
  }

  return E.right({
    attempt: async (attempt) => {
      const nsFd = fdOf(attempt.ns)
      if (nsFd === null) return E.right(NOTHING)
      // What was heard before is of nobody.
      for (const each of ears) {
        each.captured()
        each.delivered()
      }
      const account = await (attempt.send === 'frame' || attempt.send === 'tap'
        ? ofRaw(attempt, nsFd)
        : ofSocket(attempt, nsFd))
      return E.isLeft(account) ? E.left(portError('sockets', account.left)) : account
    },
    close: closeAll,
  })
}
