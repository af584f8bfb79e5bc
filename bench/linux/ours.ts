// Ours, as `cnm` runs it in production: the engine on its store on disk and on the kernel through netlink; only that the host is a
// namespace of the benchmark's.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { linuxKernel } from '../../src/kernel-linux/linux.ts'
import { type Lab, labNames } from '../../src/kernel-linux/names.ts'
import type { Command } from '../../src/model/command.ts'
import { explain } from '../../src/model/error.ts'
import { E } from '../../src/prelude.ts'
import { storeIn } from '../lib/disk.ts'
import { attach, createContainer, createNetwork, deleteContainer, detach } from './commands.ts'
import { type Contender, each, type Needs } from './contender.ts'
import { type Later, labFor, makeSpace, right } from './tidy.ts'

const CHECKPOINT_TURNS = 1000

export type Host = Readonly<{ engine: Engine; path: string; lab: Lab; dir: string }>

/** An engine for the host of a lab. What it made outlives it. */
export const engineOn = async (
  lab: Lab,
  dir: string,
): Promise<Readonly<{ engine: Engine; close: () => Promise<void> }>> => {
  const kernel = linuxKernel({ names: labNames(lab), transport: 'netlink' })
  const opened = await openEngine({ kernel, store: await storeIn(dir), checkpointTurns: CHECKPOINT_TURNS })
  if (E.isLeft(opened)) throw new Error(explain(opened.left))
  const engine = opened.right
  return {
    engine,
    close: async () => {
      await engine.close()
      await kernel.close()
    },
  }
}

export const dirFor = (later: Later): string => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-bench-'))
  later(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export const openHost = async (later: Later, what: string): Promise<Host> => {
  const dir = join(dirFor(later), 'store')
  mkdirSync(dir)
  const lab = labFor(later, what)
  const path = makeSpace(lab)
  const { engine, close } = await engineOn(lab, dir)
  later(close)
  return { engine, path, lab, dir }
}

/** Submits as one caller, and throws if anything is refused. */
export const obey = async (engine: Engine, commands: ReadonlyArray<Command>): Promise<void> => {
  for (const answer of await engine.submit(commands)) if (E.isLeft(answer)) throw new Error(explain(answer.left))
}

/** A turn holds the commands of so many at most, so that building a big host shows that it is alive. */
const TOGETHER = 250

/** The same for many, as one caller after the other would have them. */
export const obeyAll = async (
  engine: Engine,
  containers: ReadonlyArray<number>,
  commands: (container: number) => ReadonlyArray<Command>,
): Promise<void> => {
  for (let from = 0; from < containers.length; from += TOGETHER)
    await obey(engine, containers.slice(from, from + TOGETHER).flatMap(commands))
}

export const upTo = (count: number, from = 0): ReadonlyArray<number> =>
  Array.from({ length: count - from }, (_, i) => from + i)

export const openOurs = async (later: Later, { what, containers, ports }: Needs): Promise<Contender & Host> => {
  const host = await openHost(later, what)
  await obey(host.engine, [createNetwork(0)])
  await obeyAll(host.engine, upTo(containers), (n) => [createContainer(n, ports)])
  return {
    ...host,
    name: 'ours',
    host: host.path,
    attach: each((n) => obey(host.engine, attach(n))),
    detach: each((n) => obey(host.engine, detach(n))),
  }
}

/** The containers are not there before: their namespaces are made and removed within the time measured. */
export const openWhole = async (later: Later, { what, ports }: Needs): Promise<Contender> => {
  const { engine, path } = await openHost(later, what)
  await obey(engine, [createNetwork(0)])
  return {
    name: 'ours',
    host: path,
    attach: each((n) => obey(engine, [createContainer(n, ports), ...attach(n)])),
    detach: each((n) => obey(engine, [deleteContainer(n)])),
  }
}

export const differencesIn = async (engine: Engine): Promise<number> => right(await engine.differences()).length
