// node scripts/setup.mjs: brings a fresh clone to where everything runs (see lib/setup.mjs).

import { main } from './lib/say.mjs'
import { ensureSetup } from './lib/setup.mjs'

await main(async () => {
  await ensureSetup()
  return 0
})
