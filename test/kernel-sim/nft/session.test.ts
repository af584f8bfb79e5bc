// Commands as people type them, one after the other: what was measured of the real nft, ours says to the letter; and the real one
// still says it. Handles of tables are left out there, for the kernel counts tables of all namespaces.

import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nft } from '../../../src/kernel-sim/nft/nft.ts'
import { EMPTY_RULESET, type Ruleset } from '../../../src/kernel-sim/nft/ruleset.ts'
import { needs } from '../../lib/need.ts'
import { ownNamespace } from '../../lib/own-names.ts'
import { NOW } from './lab.ts'
import { RECORDED, type Recorded } from './recorded.ts'
import { SESSION, type Typed } from './session.ts'

const titleOf = (typed: Typed): string =>
  'text' in typed ? 'nft -f' : ['nft', ...typed.options, typed.words].join(' ')

const ours = (): ReadonlyArray<Recorded> => {
  let ruleset: Ruleset = EMPTY_RULESET
  return SESSION.map((typed) => {
    const isFile = 'text' in typed
    const outcome = nft(ruleset, isFile ? typed.text : typed.words, NOW, {
      file: isFile ? '/dev/stdin' : null,
      json: !isFile && typed.options.includes('-j'),
      handles: !isFile && typed.options.includes('-a'),
    })
    ruleset = outcome.ruleset
    return { status: outcome.status, stdout: outcome.stdout, error: outcome.error?.message ?? null }
  })
}

describe('a session of commands has the status, the output and the error of the real nft', () => {
  const said = ours()
  it('is recorded whole', () => expect(RECORDED.length).toBe(SESSION.length))
  it.each(SESSION.map((typed, i): readonly [string, number] => [titleOf(typed), i]))('%s', (_, i) => {
    expect(said[i]).toEqual(RECORDED[i])
  })
})

const SPACE = ownNamespace('nft-session')
const withoutTables = ({ status, stdout, error }: Recorded): Recorded => ({
  status,
  error,
  stdout: stdout.replace(/(^table .*# handle )[0-9]+/gm, '$1').replace(/("table": \{[^}]*"handle": )[0-9]+/g, '$1'),
})

needs.kernel('the recorded session', () => {
  beforeAll(() => void spawnSync('ip', ['netns', 'add', SPACE]))
  afterAll(() => void spawnSync('ip', ['netns', 'delete', SPACE]))
  it('is what the real nft says', () => {
    const real = SESSION.map((typed): Recorded => {
      const words = 'text' in typed ? ['-f', '-'] : [...typed.options, ...typed.words.split(' ')]
      const { status, stdout, stderr } = spawnSync('nsenter', [`--net=/run/netns/${SPACE}`, '--', 'nft', ...words], {
        input: 'text' in typed ? typed.text : '',
        encoding: 'utf8',
      })
      return { status: status ?? -1, stdout, error: /Error: (.*)/.exec(stderr)?.[1] ?? null }
    })
    expect(real.map(withoutTables)).toEqual(RECORDED.map(withoutTables))
  })
})
