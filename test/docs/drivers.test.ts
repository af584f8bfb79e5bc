// docs/drivers/<type>.md, one page a driver: what it is, its options as their table has them, and a picture of what an example builds,
// taken from what the simulated kernel holds then. `npx vitest run test/docs -u` writes them anew.

import { expect, test } from 'vitest'
import type { Driver } from '../../src/drivers/driver.ts'
import type { OptionSpec } from '../../src/drivers/options.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { pictureOf } from '../../src/lab/picture.ts'
import { INTERNET, WORLD } from '../../src/lab/world.ts'
import { HOST } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { EXAMPLES, type Example } from './driver-examples.ts'

const ROOT = new URL('../..', import.meta.url).pathname

/** What is there when an example's commands are done. */
const builtBy = async ({ commands }: Example): Promise<KernelState> => {
  const kernel = simKernel(EMPTY_WORLD)
  await kernel.apply(diff(EMPTY_STATE, WORLD))()
  const engine = freshEngine({ kernel, check: true })
  for (const answer of await engine.submit(commands)) if (E.isLeft(answer)) throw new Error(answer.left.tag)
  const sandboxes = commands.flatMap((command) => (command.tag === 'CreateSandbox' ? [command.ns] : []))
  const seen = await kernel.observe({ namespaces: [...new Set([HOST, ...sandboxes])], sysctls: [] })()
  if (E.isLeft(seen)) throw new Error(seen.left.what)
  return seen.right
}

/** Elements of the firewall's sets, by set. */
const firewallOf = (state: KernelState): ReadonlyArray<string> => {
  const sets = new Map<string, string[]>()
  for (const object of objectsOf(state)) {
    if (object.kind !== 'nft-element') continue
    const text = [object.key.join(' . '), ...(object.value === null ? [] : [object.value.join(' . ')])].join(' : ')
    sets.set(object.set, [...(sets.get(object.set) ?? []), text])
  }
  return [...sets].map(([set, elements]) => `${set} { ${elements.join(', ')} }`)
}

const optionLine = ({ names, otherwise, about }: OptionSpec): string =>
  `| ${names.map((name) => `\`${name}\``).join(', ')} | ${otherwise === null ? '' : `\`${otherwise}\``} | ${about} |`

const optionsOf = ({ options }: Driver): ReadonlyArray<string> => {
  const told = Object.values(options).filter(({ names }) => names.length > 0)
  if (told.length === 0) return ['It has no options.', '']
  return ['| option | unless said | what it is |', '|---|---|---|', ...told.map(optionLine), '']
}

const exampleLines = async (example: Example): Promise<ReadonlyArray<string>> => {
  const state = await builtBy(example)
  const walls = firewallOf(state)
  return [
    `## ${example.title}`,
    '',
    '```sh',
    ...example.words,
    '```',
    '',
    '```text',
    ...pictureOf(state).filter((line) => line !== INTERNET),
    '```',
    '',
    ...(walls.length === 0 ? [] : ['In the firewall, as elements of its sets:', '', '```text', ...walls, '```', '']),
  ]
}

const pageOf = async (driver: Driver): Promise<string> => {
  const examples = EXAMPLES[driver.type] ?? []
  const lines = [
    `# The driver \`${driver.type}\``,
    '',
    driver.about,
    '',
    ...optionsOf(driver),
    ...(await Promise.all(examples.map(exampleLines))).flat(),
    '<!-- Written by test/docs/drivers.test.ts; `npx vitest run test/docs -u` writes it anew. -->',
  ]
  return `${lines.join('\n')}\n`
}

test.each([...DRIVERS.values()])('the page of driver $type says what it is and does', async (driver) => {
  expect(EXAMPLES[driver.type]).toBeDefined()
  await expect(await pageOf(driver)).toMatchFileSnapshot(`${ROOT}docs/drivers/${driver.type}.md`)
})
