// A thousand hosts with ten containers each, all on one VXLAN, built in a process of its own, so that what it takes at most is known.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { across, overlayOf } from './lib/overlay.ts'
import { type Bench, median, type Result } from './lib.ts'

type Report = Readonly<{ seconds: number; peakMb: number }>

/** Builds so many fabrics of so many hosts, and lets containers at both ends of the last one reach each other. */
export const build = (times: number, hosts: number): void => {
  const start = performance.now()
  let fabric = overlayOf(hosts, 10)
  for (let n = 1; n < times; n++) fabric = overlayOf(hosts, 10)
  const seconds = (performance.now() - start) / 1000
  across(across(fabric, 0, hosts - 1), hosts - 1, 1)
  const report: Report = { seconds, peakMb: process.resourceUsage().maxRSS / 1024 }
  process.stdout.write(JSON.stringify(report))
}

const SCRIPT = 'const [bundle, times, hosts] = process.argv.slice(1); (await import(bundle)).build(+times, +hosts)'

const reportOf = (times: number, hosts: number): Report => {
  const bundle = fileURLToPath(import.meta.url)
  const args = [...process.execArgv, '--input-type=module', '--eval', SCRIPT, bundle, String(times), String(hosts)]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  // A cast: it is what `build` writes.
  return JSON.parse(stdout) as Report
}

const ROUNDS = 3

/** Turn about with ten fabrics of a hundred hosts, of which all but one are let go. */
const measured = (of: (report: Report) => number): Result => {
  const rounds: Array<readonly [number, number]> = []
  for (let round = 0; round < ROUNDS; round++) rounds.push([of(reportOf(1, 1000)), of(reportOf(10, 100))])
  return {
    value: median(rounds.map(([ours]) => ours)),
    ratios: [{ ratio: median(rounds.map(([ours, tenth]) => ours / tenth)), to: 'ten of 100 hosts' }],
  }
}

export const benches: ReadonlyArray<Bench> = [
  { name: 'sim.fabric1000.s', unit: 's', better: 'lower', run: async () => measured(({ seconds }) => seconds) },
  { name: 'sim.fabric1000.mb', unit: 'MB', better: 'lower', run: async () => measured(({ peakMb }) => peakMb) },
]
