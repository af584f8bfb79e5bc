// Which packages set-up asks for, and where it looks for the programs.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mirrorsIn } from '../../scripts/lib/consul.mjs'
import { findBinary, missingPackages, TEST_TOOLS, TOOLS } from '../../scripts/lib/system.mjs'

describe('missing packages', () => {
  test('none where every program is found', () => {
    expect(missingPackages((name) => `/usr/bin/${name}`)).toEqual([])
  })

  test('each once, though it holds several programs', () => {
    expect(missingPackages((name) => (name === 'ip' || name === 'bridge' ? null : name))).toEqual(['iproute2'])
    expect(missingPackages(() => null)).toEqual([...new Set(TOOLS.map((tool) => tool.package))])
  })

  test('what only tests call is no need of the parts on the real kernel', () => {
    expect(missingPackages((name) => (name === 'tshark' ? null : name))).toEqual([])
    expect(missingPackages(() => null, TEST_TOOLS)).toEqual(['tshark', 'tcpdump'])
  })
})

test('what is fetched comes from the mirrors of this machine, each once, but for those of security updates', () => {
  const said = ['mirror:/debian/', 'mirror:/debian', '', 'other:/debian-security/', 'third:/debian'].join('\n')
  expect(mirrorsIn(said)).toEqual(['mirror:/debian', 'third:/debian'])
})

describe('a program', () => {
  let folder = ''
  const name = 'cnm-test-program'
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-path-'))
    writeFileSync(join(folder, name), '')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  test('is found on the path, if it may be run', () => {
    expect(findBinary(name, `/nowhere:${folder}`)).toBeNull()
    chmodSync(join(folder, name), 0o755)
    expect(findBinary(name, `/nowhere:${folder}`)).toBe(join(folder, name))
    expect(findBinary(name, '/nowhere')).toBeNull()
  })
})
