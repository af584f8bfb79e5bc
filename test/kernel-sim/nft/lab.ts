// The real nft in a namespace of its own beside ours: scripts go to both, and what they answer and list is held against each
// other. What is not compared: metainfo; handles, of which the kernel keeps counting after a refusal; times that are left, since
// real time passes; the order of concatenations and of sets of flags, which is the kernel's own.

import { spawnSync } from 'node:child_process'
import type { Host } from '../../../src/kernel-sim/nft/datatype.ts'
import type { NftError } from '../../../src/kernel-sim/nft/error.ts'
import { nft } from '../../../src/kernel-sim/nft/nft.ts'
import { EMPTY_RULESET, type Ruleset } from '../../../src/kernel-sim/nft/ruleset.ts'
import { ownNamespace } from '../../lib/own-names.ts'

const SPACE = ownNamespace('nft-language')
const PATH = `/run/netns/${SPACE}`

export const HOST: Host = {
  indexOf: (name) => (name === 'lo' ? 1 : null),
  nameOf: (index) => (index === 1 ? 'lo' : null),
}
export const NOW = { host: HOST, nowMs: 0 }
const OPTIONS = { file: '/dev/stdin', json: false, handles: false }

export const makeLab = (): void => void spawnSync('ip', ['netns', 'add', SPACE])
export const removeLab = (): void => void spawnSync('ip', ['netns', 'delete', SPACE])

type Answer = Readonly<{ status: number | null; stdout: string; stderr: string }>

const inside = (words: ReadonlyArray<string>, input = ''): Answer => {
  const { status, stdout, stderr } = spawnSync('nsenter', [`--net=${PATH}`, '--', 'nft', ...words], {
    input,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

/** What kind of no an answer is: the kernel's errno in words, a syntax error, or anything else that nft found. */
const classOf = (message: string): string => {
  // When it knows a name that is near, nft says this in place of the kernel's refusal.
  if (/^(Could not process rule: )?No such file or directory/.test(message)) return 'No such file or directory'
  if (message.startsWith('syntax error')) return 'syntax error'
  return message.startsWith('Could not process rule') ? message : 'what it means'
}
const realClass = ({ status, stderr }: Answer): string => {
  if (status === 0) return 'done'
  return classOf(/Error: (.*)/.exec(stderr)?.[1] ?? `status ${status}`)
}
const ourClass = (error: NftError | null): string =>
  error === null ? 'done' : error.kind === 'not-in-simulation' ? error.message : classOf(error.message)

type Plain = Readonly<Record<string, unknown>>
const isPlain = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

const isUnordered = (elements: ReadonlyArray<unknown>): boolean =>
  elements.some((element) => /"concat"|"\|"/.test(JSON.stringify(element)))

/** A document without what cannot be compared. */
const normal = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(normal)
  if (!isPlain(value)) return value
  const entries = Object.entries(value).filter(([key]) => key !== 'handle' && key !== 'expires')
  return Object.fromEntries(
    entries.map(([key, each]) => {
      const made = normal(each)
      const isSet = (key === 'elem' || key === 'set') && Array.isArray(made) && isUnordered(made)
      return [key, isSet ? made.map((one) => JSON.stringify(one)).toSorted() : made]
    }),
  )
}

const objectsOf = (json: string): ReadonlyArray<unknown> => {
  const document: unknown = JSON.parse(json)
  const list = isPlain(document) ? document['nftables'] : []
  return Array.isArray(list) ? list.filter((each) => isPlain(each) && !('metainfo' in each)).map(normal) : []
}

const withoutTimes = (text: string): string => text.replace(/ expires [0-9dhms]+/g, '')

/** What both sides have to say of one history of scripts. */
export type Side = Readonly<{ answers: ReadonlyArray<string>; objects: ReadonlyArray<unknown>; text: string }>

export const really = (scripts: ReadonlyArray<string>): Side => {
  inside(['flush', 'ruleset'])
  const answers = scripts.map((script) => realClass(inside(['-f', '-'], script)))
  return {
    answers,
    objects: objectsOf(inside(['-j', 'list', 'ruleset']).stdout),
    text: withoutTimes(inside(['list', 'ruleset']).stdout),
  }
}

export const simulated = (scripts: ReadonlyArray<string>): Side => {
  let ruleset: Ruleset = EMPTY_RULESET
  const answers: string[] = []
  for (const script of scripts) {
    const outcome = nft(ruleset, script, NOW, OPTIONS)
    ruleset = outcome.ruleset
    answers.push(ourClass(outcome.error))
  }
  return {
    answers,
    objects: objectsOf(nft(ruleset, 'list ruleset', NOW, { ...OPTIONS, json: true }).stdout),
    text: withoutTimes(nft(ruleset, 'list ruleset', NOW, OPTIONS).stdout),
  }
}
