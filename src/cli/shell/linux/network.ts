// Hosts and segments on one machine: a host is a namespace and those that are made within it, a segment is a bridge in a namespace of its
// own, and how good it is is netem's business (tc-netem(8)) at each port towards a host, where the kernel has it.
// Invariant: all of it is in namespaces of the lab, and goes with them.

import type { KernelError } from '../../../kernel/kernel.ts'
import type { Quality } from '../../../kernel/quality.ts'
import { type Lab, labNames, labPrefix, type Names } from '../../../kernel-linux/names.ts'
import type { Run } from '../../../kernel-linux/run.ts'
import { HOST } from '../../../net/name.ts'
import { E, type Either } from '../../../prelude.ts'
import { type Network, SENTENCES } from '../../../shell/network.ts'
import { type Runner, runnerIn } from './tools.ts'

export const FIRST_HOST = 'host'
/** In no name of a namespace that somebody chooses (net/name.ts). */
const WITHIN = '+'

/** How the namespaces of a host are called: the first one's as those of the lab. */
export const prefixOf = (lab: Lab, host: string): string =>
  host === FIRST_HOST ? labPrefix(lab) : `${labPrefix(lab)}${host}${WITHIN}`
export const hostNames = (lab: Lab, host: string): Names =>
  host === FIRST_HOST ? labNames(lab) : (ns) => `${prefixOf(lab, host)}${ns}`

const PERFECT: Quality = { delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, bitsPerMs: null }

/** `port`: its other end, at the bridge. */
type Card = Readonly<{ host: string; dev: string; port: string }>
type Segment = Readonly<{
  name: string
  bridge: string
  quality: Quality
  cards: ReadonlyArray<Card>
  cut: ReadonlyArray<string> | null
}>

const cutBridge = ({ bridge }: Segment): string => `${bridge}.cut`

/** Null: nothing is to be done to frames. */
const netemWords = ({
  delayMs,
  jitterMs,
  loss,
  duplicate,
  reorder,
  bitsPerMs,
}: Quality): ReadonlyArray<string> | null => {
  const percent = (part: number): string => `${part * 100}%`
  const words = [
    ...(delayMs + jitterMs > 0 ? ['delay', `${delayMs}ms`] : []),
    ...(jitterMs > 0 ? [`${jitterMs}ms`] : []),
    ...(loss > 0 ? ['loss', percent(loss)] : []),
    ...(duplicate > 0 ? ['duplicate', percent(duplicate)] : []),
    ...(reorder > 0 ? ['reorder', percent(reorder)] : []),
    ...(bitsPerMs === null ? [] : ['rate', `${bitsPerMs}kbit`]),
  ]
  return words.length === 0 ? null : words
}

type Deed = Promise<Either<KernelError, string | null>>

export type LinuxNetwork = Network & Readonly<{ hosts: () => ReadonlyArray<string> }>

/** `makeHost` makes the namespace that a host begins with. */
export const networkOn = (lab: Lab, run: Run, makeHost: (host: string) => Deed): LinuxNetwork => {
  const hosts: string[] = [FIRST_HOST]
  const segments = new Map<string, Segment>()
  const middle = `${labPrefix(lab)}${WITHIN}segments`
  const tools: Runner = runnerIn(run, middle)
  let isMade = false
  let next = 0

  const makeMiddle = async (): Deed => {
    if (isMade) return E.right(null)
    isMade = true
    return tools.outside(['netns', 'add', middle], () => tools.quiet())
  }
  const shape = (dev: string, quality: Quality): Deed => {
    const words = netemWords(quality)
    return words === null ? tools.withoutShape(dev) : tools.shaped(dev, words)
  }
  const each = async <A>(all: ReadonlyArray<A>, deed: (one: A) => Deed): Deed => {
    for (const one of all) {
      const done = await deed(one)
      if (E.isLeft(done) || done.right !== null) return done
    }
    return E.right(null)
  }
  const addSegment = async (name: string, change: Partial<Quality>): Deed => {
    if (segments.has(name)) return E.right(SENTENCES.segmentTaken(name))
    const quality = { ...PERFECT, ...change }
    const segment: Segment = { name, bridge: `b${next++}`, quality, cards: [], cut: null }
    const made = await makeMiddle()
    if (E.isLeft(made) || made.right !== null) return made
    const { bridge } = segment
    return each([bridge, cutBridge(segment)], (one) => tools.bridge(one)).then(async (bridges) => {
      if (E.isLeft(bridges) || bridges.right !== null) return bridges
      // Whether this kernel can do it is seen before anybody is plugged in.
      const tried = await shape(bridge, quality)
      if (E.isLeft(tried) || tried.right !== null) return tried
      await tools.withoutShape(bridge)
      segments.set(name, segment)
      return E.right(null)
    })
  }
  const setSegment = async (name: string, change: Partial<Quality>): Deed => {
    const segment = segments.get(name)
    if (segment === undefined) return E.right(SENTENCES.noSegment('segment', name))
    const quality = { ...segment.quality, ...change }
    const done = await each(segment.cards, ({ port }) => shape(port, quality))
    if (E.isRight(done) && done.right === null) segments.set(name, { ...segment, quality })
    return done
  }
  /** The bridge that a host's cards are at; null: at none. */
  const bridgeFor = (segment: Segment, host: string): string | null => {
    if (segment.cut === null) return segment.bridge
    if (segment.cut.length === 0) return null
    return segment.cut.includes(host) ? cutBridge(segment) : segment.bridge
  }
  const attach = (segment: Segment): Deed =>
    each(segment.cards, ({ host, port }) => tools.master(port, bridgeFor(segment, host)))
  const plug = async (host: string, dev: string, name: string): Deed => {
    const segment = segments.get(name)
    if (!hosts.includes(host)) return E.right(SENTENCES.noHost('plug', host))
    if (segment === undefined) return E.right(SENTENCES.noSegment('plug', name))
    const real = hostNames(lab, host)(HOST) ?? ''
    const port = `p${next++}`
    const made = await tools.cable(real, dev, port)
    if (E.isLeft(made)) return made
    if (made.right !== null) return E.right(SENTENCES.deviceTaken(host, dev))
    const after = { ...segment, cards: [...segment.cards, { host, dev, port }] }
    segments.set(name, after)
    const shaped = await shape(port, segment.quality)
    return E.isLeft(shaped) || shaped.right !== null ? shaped : attach(after)
  }
  const part = async (command: string, name: string, cut: ReadonlyArray<string> | null): Deed => {
    const segment = segments.get(name)
    const stranger = cut?.find((host) => !hosts.includes(host))
    if (segment === undefined) return E.right(SENTENCES.noSegment(command, name))
    if (stranger !== undefined) return E.right(SENTENCES.noHost(command, stranger))
    const after = { ...segment, cut }
    segments.set(name, after)
    return attach(after)
  }
  return {
    hosts: () => hosts,
    addHost: (name) => async () => {
      if (hosts.includes(name)) return E.right(SENTENCES.hostTaken(name))
      const made = await makeHost(name)
      if (E.isRight(made) && made.right === null) hosts.push(name)
      return made
    },
    segments: () => async () =>
      E.right(
        [...segments.values()].map(({ name, quality, cards, cut }) => ({
          name,
          quality,
          cards: cards.map(({ host, dev }) => `${host}/${dev}`),
          cut,
        })),
      ),
    addSegment: (name, quality) => () => addSegment(name, quality),
    setSegment: (name, quality) => () => setSegment(name, quality),
    plug: (host, dev, segment) => () => plug(host, dev, segment),
    cut: (name, named) => () => part('cut', name, named),
    heal: (name) => () => part('heal', name, null),
  }
}
