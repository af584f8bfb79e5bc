// What a test may need from its machine. `needs.kernel('title', () => {...})` is a `describe` whose tests are skipped where
// the need is not met, with the reason in the summary of `npm test`. In CI (CI=true) a need that is not met is a failure:
// nothing goes untested there without a word; but for Consul, which not every system can have.

import { spawnSync } from 'node:child_process'
import { describe, test } from 'vitest'
import { findBinary, findConsulBinary, missingPackages } from '../../scripts/lib/system.mjs'

declare module 'vitest' {
  interface TaskMeta {
    /** Why the tests below were skipped; read by scripts/lib/tally.mjs. */
    need?: string
  }
}

/** Null, or what is missing, as a phrase that follows "needs". */
export type Missing = string | null

type Gate = (title: string, body: () => void) => void

/** A `describe` that runs its tests only if `missing` finds nothing. */
export const gate =
  (missing: () => Missing, inCi = process.env['CI'] === 'true'): Gate =>
  (title, body) => {
    const what = missing()
    if (what === null) {
      describe(title, body)
    } else if (inCi) {
      describe(title, () => {
        test('its needs are met', () => {
          throw new Error(`"${title}" needs ${what}. With CI=true that is a failure; without, its tests are skipped.`)
        })
      })
    } else {
      describe(title, { skip: true, meta: { need: `needs ${what}` } }, body)
    }
  }

const once = <A>(find: () => A): (() => A) => {
  let found: { readonly value: A } | null = null
  return () => {
    found ??= { value: find() }
    return found.value
  }
}

const missingKernel = once((): Missing => {
  if (process.platform !== 'linux') return `Linux (this is ${process.platform})`
  if (process.getuid?.() !== 0) return 'root'
  const packages = missingPackages()
  if (packages.length > 0) return `the packages ${packages.join(', ')}`
  const args = ['--net', '--mount', findBinary('nft') ?? 'nft', 'list', 'ruleset']
  const trial = spawnSync(findBinary('unshare') ?? 'unshare', args, { encoding: 'utf8' })
  return trial.status === 0 ? null : `the right to make network namespaces with nftables (${trial.stderr.trim()})`
})

/** A server that not every system has: its tests are skipped with their reason also in CI. */
const missingConsul = once((): Missing => {
  const absent = [
    ...(findConsulBinary() === null ? ['consul'] : []),
    ...(findBinary('setpriv') === null ? ['setpriv'] : []),
  ]
  return absent.length === 0 ? null : `the program${absent.length === 1 ? '' : 's'} ${absent.join(', ')}`
})

export const needs = {
  /** The running Linux kernel: root, the system packages, and the right to make network namespaces with nftables. */
  kernel: gate(missingKernel),
  /** Programs that no part on the real kernel needs, such as `docker`, or `tshark` (which set-up installs for tests). */
  programs: (...names: ReadonlyArray<string>): Gate =>
    gate(() => {
      const absent = names.filter((name) => findBinary(name) === null)
      return absent.length === 0 ? null : `the program${absent.length === 1 ? '' : 's'} ${absent.join(', ')}`
    }),
  /** Consul, where it is found: Debian 12 has no package of it. */
  consul: gate(missingConsul, false),
}
