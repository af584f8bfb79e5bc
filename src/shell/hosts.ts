// cnm's own words for several machines: hosts, the segments that join them, the cards that are plugged in, and cables that are cut. The
// words for how good a segment is are those of tc-netem(8), each without its own unit only where it is 0.

import type { Quality } from '../kernel/quality.ts'
import { E } from '../prelude.ts'
import { nameIn } from './context.ts'
import type { Done } from './done.ts'
import { failed, printed, QUIET, type Read, refuse } from './done.ts'
import type { Words } from './match.ts'
import type { Network, SegmentFacts } from './network.ts'
import { type Answer, asking, type Talk } from './terminal.ts'

/** Of hosts and segments; short enough for what Linux makes of them. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_]{0,14}$/

const usage = (words: string): Done => failed(255, `Usage: ${words}`)
const SEGMENT_USAGE =
  'segment [list] | segment { add | set } NAME [delay MS] [jitter MS] [loss %] [duplicate %] [reorder %] [rate BITS]'

const MS: Readonly<Record<string, number>> = { us: 0.001, usec: 0.001, ms: 1, msec: 1, s: 1000, sec: 1000 }
const BITS_PER_MS: Readonly<Record<string, number>> = {
  bit: 0.001,
  kbit: 1,
  mbit: 1000,
  gbit: 1_000_000,
}
const MEASURE = /^(\d+(?:\.\d+)?)([a-z%]*)$/i

const measured = (text: string, units: Readonly<Record<string, number>>): number | null => {
  const found = MEASURE.exec(text)
  const number = Number(found?.[1])
  const unit = units[(found?.[2] ?? '').toLowerCase()]
  if (found === null || (unit === undefined && number !== 0)) return null
  return number * (unit ?? 1)
}

const PERCENT = { '%': 0.01 }
const KEYS: Readonly<Record<string, readonly [key: keyof Quality, units: Readonly<Record<string, number>>]>> = {
  delay: ['delayMs', MS],
  jitter: ['jitterMs', MS],
  loss: ['loss', PERCENT],
  duplicate: ['duplicate', PERCENT],
  reorder: ['reorder', PERCENT],
  rate: ['bitsPerMs', BITS_PER_MS],
}
const LONGEST_DELAY_MS = 60_000

/** A rate of 0 is none. */
const readQuality = (words: Words): Read<Partial<Quality>> => {
  let quality: Partial<Quality> = {}
  for (let at = 0; at < words.length; at += 2) {
    const [word = '', text] = words.slice(at, at + 2)
    const key = Object.hasOwn(KEYS, word) ? KEYS[word] : undefined
    if (key === undefined) return refuse(255, `segment: what is "${word}"?\nUsage: ${SEGMENT_USAGE}`)
    const value = text === undefined ? null : measured(text, key[1])
    const isTooMuch = value !== null && (key[1] === PERCENT ? value > 1 : key[1] === MS && value > LONGEST_DELAY_MS)
    if (value === null || isTooMuch) return refuse(1, `segment: "${text ?? ''}" is no ${word}`)
    quality = { ...quality, [key[0]]: key[0] === 'bitsPerMs' && value === 0 ? null : value }
  }
  return E.right(quality)
}

const told = (complaint: string | null): Done => (complaint === null ? QUIET : failed(1, complaint))
function* doing(deed: (network: Network) => Answer<string | null>): Talk<Done> {
  return told(yield* asking((terminal) => deed(terminal.network)))
}

function* hosts(): Talk<Done> {
  const [present, ...others] = yield* asking((terminal) => terminal.hosts())
  const lines = [`${present} (here)`, ...others]
  return printed(`${lines.sort().join('\n')}\n`)
}

function* host(words: Words): Talk<Done> {
  const [verb, name, ...more] = words
  if (verb === undefined || (verb === 'list' && name === undefined)) return yield* hosts()
  if (verb !== 'add' || name === undefined || more.length > 0) return usage('host [list] | host NAME | host add NAME')
  if (!NAME.test(name) || name === 'add' || name === 'list')
    return failed(1, `host: "${name}" cannot be the name of a host (1 to 15 letters, digits or "_")`)
  return yield* doing((network) => network.addHost(name))
}

const percent = (part: number): string => `${Number((part * 100).toPrecision(6))}%`

const qualityText = ({ delayMs, jitterMs, loss, duplicate, reorder, bitsPerMs }: Quality): string =>
  [
    delayMs > 0 ? ` delay ${delayMs}ms` : '',
    jitterMs > 0 ? ` jitter ${jitterMs}ms` : '',
    loss > 0 ? ` loss ${percent(loss)}` : '',
    duplicate > 0 ? ` duplicate ${percent(duplicate)}` : '',
    reorder > 0 ? ` reorder ${percent(reorder)}` : '',
    bitsPerMs === null ? '' : ` rate ${bitsPerMs}kbit`,
  ].join('')

const segmentText = ({ name, quality, cards, cut }: SegmentFacts): string => {
  const parts = cut === null ? '' : ` cut ${cut.join(' ')}`.trimEnd()
  return `${name}${qualityText(quality)}${parts}${cards.map((card) => `\n    ${card}`).join('')}\n`
}

function* segment([verb = 'list', name, ...words]: Words): Talk<Done> {
  if (verb === 'list' && name === undefined) {
    const all = yield* asking((terminal) => terminal.network.segments())
    return printed(all.map(segmentText).join(''))
  }
  if ((verb !== 'add' && verb !== 'set') || name === undefined) return usage(SEGMENT_USAGE)
  if (!NAME.test(name))
    return failed(1, `segment: "${name}" cannot be the name of a segment (1 to 15 letters, digits or "_")`)
  const quality = readQuality(words)
  if (E.isLeft(quality)) return quality.left
  return yield* doing((network) =>
    verb === 'add' ? network.addSegment(name, quality.right) : network.setSegment(name, quality.right),
  )
}

function* plug([name, device, to, ...more]: Words): Talk<Done> {
  if (name === undefined || device === undefined || to === undefined || more.length > 0)
    return usage('plug HOST DEV SEGMENT')
  const dev = nameIn(device)
  if (dev === null || device === 'lo') return failed(1, `plug: "${device}" cannot be the name of a device`)
  return yield* doing((network) => network.plug(name, dev, to))
}

function* cut([name, ...parted]: Words): Talk<Done> {
  return name === undefined ? usage('cut SEGMENT [HOST ...]') : yield* doing((network) => network.cut(name, parted))
}

function* heal([name, ...more]: Words): Talk<Done> {
  return name === undefined || more.length > 0 ? usage('heal SEGMENT') : yield* doing((network) => network.heal(name))
}

export const BUILTIN_HOSTS = { host, hosts, segment, plug, cut, heal } as const
