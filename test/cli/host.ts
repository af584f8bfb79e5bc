// A host for the production verbs: a state directory of its own, and the words that go with it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cnm, type Ended } from './cnm.ts'

export type Host = Readonly<{
  state: string
  /** A verb that must succeed without a word of complaint; its output. */
  ok: (...args: ReadonlyArray<string>) => Promise<string>
  run: (...args: ReadonlyArray<string>) => Promise<Ended>
  /** Of an `ls` or `inspect`, as data. */
  // biome-ignore lint/suspicious/noExplicitAny: what JSON holds, for expectations on it
  json: (...args: ReadonlyArray<string>) => Promise<any>
  remove: () => Promise<void>
}>

/** On the simulated kernel. */
export const simHost = async (): Promise<Host> => {
  const folder = await mkdtemp(join(tmpdir(), 'cnm-host-'))
  const state = join(folder, 'state')
  const run = (...args: ReadonlyArray<string>): Promise<Ended> => {
    const [group = ''] = args
    const kernel = ['store', 'events', 'journal', 'replay'].includes(group) ? [] : ['--kernel', 'sim']
    return cnm([...args, ...kernel], { env: { CNM_STATE: state } })
  }
  const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${err}`)
    return out.replace(/\n$/, '')
  }
  const json: Host['json'] = async (...args) => {
    const [group, verb] = args
    const shape = verb === 'ls' || group === 'events' ? ['--format', 'json'] : []
    return JSON.parse(await ok(...args, ...shape))
  }
  return { state, ok, run, json, remove: () => rm(folder, { recursive: true, force: true }) }
}
