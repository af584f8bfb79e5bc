// Runs the command as a user would.

import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { labOfName } from '../../src/kernel-linux/names.ts'
import { ROOT } from '../lib/source.ts'

export const CNM = join(ROOT, 'bin/cnm')
export const EXAMPLES = ['two-tier', 'internal', 'published-ports', 'mistake'] as const
export const example = (name: string): string => `examples/${name}/compose.yaml`

/** What could change the output must be asked for; `env` is all of it. */
const BARE = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }

export type Ended = Readonly<{ exit: number | undefined; out: string; err: string }>

export const cnm = async (
  args: ReadonlyArray<string>,
  options: Readonly<{ cwd?: string; env?: Readonly<Record<string, string>>; input?: string | Uint8Array }> = {},
): Promise<Ended> => {
  const { cwd = ROOT, env = {}, input } = options
  const ran = await execa(CNM, args, {
    cwd,
    env: { ...BARE, ...env },
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(input === undefined ? {} : { input }),
  })
  return { exit: ran.exitCode, out: ran.stdout, err: ran.stderr }
}

/** A folder with these files, named so that the project's name is the same each time. */
export const folderWith = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'cnm-test-'))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

/** The namespaces of labs whose name begins with this. */
export const namespacesOfLabs = (prefix: string): ReadonlyArray<string> =>
  existsSync('/run/netns')
    ? readdirSync('/run/netns').filter((name) => labOfName(name)?.startsWith(`${prefix}-`) === true)
    : []
