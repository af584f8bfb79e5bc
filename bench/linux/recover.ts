// SIGKILL, and everything as it was: an engine with 1,000 endpoints is killed at work, and the next one opened.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { TABLE } from '../../src/kernel/firewall/skeleton.ts'
import type { Lab } from '../../src/kernel-linux/names.ts'
import { decodeAddress, dumpAddresses } from '../../src/kernel-linux/netlink/codec/address.ts'
import { decodeLink, dumpLinks } from '../../src/kernel-linux/netlink/codec/link.ts'
import { decodeRoute, dumpRoutes } from '../../src/kernel-linux/netlink/codec/route.ts'
import { dump } from '../../src/kernel-linux/netlink/conversation.ts'
import { openSocket } from '../../src/kernel-linux/netlink/socket.ts'
import { hasIn } from '../../src/net/pmap.ts'
import { endpoint } from '../lib/host.ts'
import { attach, createContainer, createNetwork, detach, nsOf } from './commands.ts'
import { pause } from './kernel.ts'
import type { Metric } from './metric.ts'
import { type Nft, nftIn } from './nft.ts'
import { dirFor, engineOn, obey, obeyAll, upTo } from './ours.ts'
import { playerOf, type Role, roleWords } from './role.ts'
import { logOf, medianOf, type Rounds, timeOf } from './samples.ts'
import { labFor, makeSpace, pathIn, right, tidily } from './tidy.ts'

const ENDPOINTS = 1000
/** Callers who are at work when the process is killed. */
const CALLERS = 20
const KILLS = 3
/** How long a victim is at work. */
const WORK_MS = 300

/** A caller's container comes and goes until the process is killed. */
export const victim: Role = async ([dir = '', lab = ''], _, say) => {
  // A cast: it was parsed by the benchmark that gave it.
  const { engine } = await engineOn(lab as Lab, dir)
  say('open')
  await Promise.all(
    upTo(CALLERS).map(async (n) => {
      for (;;) {
        await obey(engine, detach(n))
        await obey(engine, attach(n))
      }
    }),
  )
}

/** All that a look has to be told, without making anything of it. */
const lookRaw = async (paths: ReadonlyArray<string>, nft: Nft): Promise<void> => {
  for (const path of paths) {
    const socket = right(openSocket({ in: 'path', path }))
    right(await dump(socket, dumpLinks(), decodeLink, 'here')())
    right(await dump(socket, dumpAddresses(), decodeAddress, 'here')())
    right(await dump(socket, dumpRoutes(), decodeRoute, 'here')())
    await socket.close()
  }
  JSON.parse(await nft.list(`list table inet ${TABLE}`))
}

const measure = (bundle: string): Promise<Rounds> =>
  tidily(async (later) => {
    const dir = dirFor(later)
    const lab = labFor(later, 'recover')
    const host = makeSpace(lab)
    const all = upTo(ENDPOINTS)
    const first = await engineOn(lab, dir)
    await obey(first.engine, [createNetwork(0)])
    await obeyAll(first.engine, all, (n) => [createContainer(n, 1), ...attach(n)])
    await first.close()

    const nft = nftIn(later, host)
    const paths = [host, ...all.map((n) => pathIn(lab, nsOf(n)))]
    const log = logOf()
    for (let round = 0; round < KILLS; round++) {
      const child = spawn(process.execPath, roleWords(bundle, 'victim', dir, lab), {
        detached: true,
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      await playerOf(child).hear()
      await pause(WORK_MS)
      child.kill('SIGKILL')
      await once(child, 'exit')

      const start = performance.now()
      const { engine, close } = await engineOn(lab, dir)
      const differences = right(await engine.differences())
      log.note('ours', round, performance.now() - start)
      if (differences.length > 0) throw new Error(`after recovery there are ${differences.length} differences`)
      log.note('floor', round, await timeOf(() => lookRaw(paths, nft)))
      // The next victim begins with all of them.
      const missing = upTo(CALLERS).filter((n) => !hasIn(engine.model().endpoints, endpoint(n)))
      await obeyAll(engine, missing, (n) => attach(n))
      await close()
    }
    return log.rounds()
  })

export const recoverMetrics = (bundle: string): ReadonlyArray<Metric> => [
  { name: 'linux.recover1000.ms', run: async () => medianOf(await measure(bundle)) },
]
