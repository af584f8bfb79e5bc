import { describe, expect, test } from 'vitest'
import { labNames, labOfName, labPrefix, parseLab } from '../../src/kernel-linux/names.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { labOf } from './labs.ts'

describe('names of labs', () => {
  test('a namespace of a lab is called cnm-<lab>-<ns>', () => {
    expect(labNames(labOf('shop'))(HOST)).toBe('cnm-shop-host')
  })

  test('the prefix of one lab never begins the names of another', () => {
    expect(labNames(labOf('a-b'))(HOST)?.startsWith(labPrefix(labOf('a')))).toBe(false)
  })

  test('the lab of a name is read back, whatever dashes are in it', () => {
    const lab = labOf('my-app_2')
    expect(labOfName(labNames(lab)(ns('web-1')) ?? '')).toBe(lab)
  })

  test('names that are not of labs have none', () => {
    for (const name of ['docker', 'cnm', 'cnm-', 'cnm-x', 'cnm--host', 'cnm-X-host', 'acnm-x-host'])
      expect(labOfName(name)).toBeNull()
  })

  test('the longest name fits a file name', () => {
    const longest = labNames(labOf('x'.repeat(64)))(ns('n'.repeat(128)))
    expect(Buffer.byteLength(longest ?? '')).toBeLessThanOrEqual(255)
  })

  test('a lab name has nothing in it that a shell or a path would understand', () => {
    for (const text of ['', '-a', 'a b', 'a/b', '..', 'a.b', 'A', 'x'.repeat(65)])
      expect(E.isLeft(parseLab(text)), text).toBe(true)
  })
})
