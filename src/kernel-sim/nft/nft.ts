// nft as a function: a script against a ruleset gives the next ruleset and what is printed, or the errors and no change.
// Source: nft(8) "EXIT STATUS", "INPUT FILE FORMATS".

import { E } from '../../prelude.ts'
import type { Json } from './datatype.ts'
import { type NftError, showError } from './error.ts'
import { parseScript } from './parse/script.ts'
import { listJson } from './print/document.ts'
import { listText } from './print/listing.ts'
import type { Ruleset } from './ruleset.ts'
import { type Environment, transact } from './transact.ts'

export type Options = Readonly<{
  /** The name of the script; null: its commands were words of a command line. */
  file: string | null
  /** `-j` */
  json: boolean
  /** `-a` */
  handles: boolean
  /** `-n` */
  numeric?: boolean
}>

export type Outcome = Readonly<{
  ruleset: Ruleset
  /** The status that nft would exit with. */
  status: 0 | 1
  stdout: string
  stderr: string
  /** What nft says first where it does nothing. */
  error: NftError | null
}>

const METAINFO: Json = { metainfo: { version: '1.0.6', release_name: 'Lester Gooch #5', json_schema_version: 1 } }

/** As libjansson writes it: with a blank after each comma and colon. */
const written = (value: Json): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${written(each)}`)
    .join(', ')}}`
}

const withMetainfo = (document: Json): Json => {
  if (document === null || typeof document !== 'object' || !('nftables' in document)) return document
  const { nftables } = document
  return Array.isArray(nftables) ? { nftables: [METAINFO, ...nftables] } : document
}

/** Runs a script, whatever its text. */
export const nft = (ruleset: Ruleset, script: string, environment: Environment, options: Options): Outcome => {
  const failed = (error: NftError, now: Ruleset): Outcome => ({
    ruleset: now,
    status: 1,
    stdout: '',
    stderr: showError(error, script, options.file),
    error,
  })
  // A command line is a line, and ends as one.
  const { commands, wrong } = parseScript(options.file === null ? `${script}\n` : script, environment.host)
  if (wrong !== null) return failed(wrong, ruleset)
  const done = transact(ruleset, commands, environment)
  if (E.isLeft(done)) return failed(done.left.error, done.left.ruleset)
  const host = options.numeric === true ? { ...environment.host, numeric: true } : environment.host
  const view = { nowMs: environment.nowMs, host, handles: options.handles }
  const listings = done.right.listed.map(({ listed, of }) =>
    options.json ? `${written(withMetainfo(listJson(of, listed, view)))}\n` : listText(of, listed, view),
  )
  return { ruleset: done.right.ruleset, status: 0, stdout: listings.join(''), stderr: '', error: null }
}
