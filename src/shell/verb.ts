// Objects and their verbs, as ip(8) and bridge(8) have them: tables of words, each with what it does.

import type { Context } from './context.ts'
import { type Done, failed, notHere } from './done.ts'
import type { Words } from './match.ts'
import { answering, type Talk } from './terminal.ts'

export type Verb = (context: Context, words: Words) => Talk<Done>
/** `name` as errors have it; `bare` is what no verb at all means. */
export type Thing = Readonly<{ name: string; bare: Verb; verbs: ReadonlyArray<readonly [whole: string, verb: Verb]> }>

export const absent =
  (what: string): Verb =>
  () =>
    answering(notHere(what))
export const usage =
  (words: string): Verb =>
  () =>
    answering(failed(255, words))
/** One of several verbs that differ in a word. */
export const bound =
  <A extends string>(verb: (context: Context, how: A, words: Words) => Talk<Done>, how: A): Verb =>
  (context, words) =>
    verb(context, how, words)
