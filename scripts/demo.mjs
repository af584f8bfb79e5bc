// npm run demo [-- ARGS]: the two-tier example as a newcomer first meets it: its networks, who reaches whom, and one
// packet that dies with the reason. ARGS go to `cnm run` (`--kernel linux`, `--json`); with --json there is no second part.

import { runNode } from './lib/run.mjs'
import { main, say } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'

const FILE = 'examples/two-tier/compose.yaml'

/** @param {ReadonlyArray<string>} args */
const cnm = (args, quiet = false) => {
  if (!quiet) say(`\n$ cnm ${args.join(' ')}\n`)
  return runNode(['bin/cnm', ...args])
}

await main(async (args) => {
  await ensureSetup()
  const json = args.includes('--json')
  const code = await cnm(['run', FILE, ...args], json)
  return code !== 0 || json ? code : cnm(['trace', FILE, 'web', 'db'])
})
