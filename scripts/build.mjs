// npm run build [-- --clean]: dist/cnm.js and dist/agent.js from src, if stale (see lib/build.mjs).

import { ensureBuilt } from './lib/build.mjs'
import { main, say } from './lib/say.mjs'

await main(async (args) => {
  say((await ensureBuilt({ clean: args.includes('--clean') })) ? 'dist is built' : 'dist is up to date')
  return 0
})
