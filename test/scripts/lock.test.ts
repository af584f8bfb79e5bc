// package-lock.json must serve every platform: `npm ci` of npm 11 refuses a lock that leaves out a package for another one,
// and npm writes such a lock when its registry or its node_modules lacks that package.

import { expect, test } from 'vitest'
import { textOf } from '../lib/source.ts'

type Locked = Readonly<{ version?: string; optionalDependencies?: Readonly<Record<string, string>> }>

test('every optional package that a locked package names is locked too', () => {
  const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(textOf('package-lock.json'))
  const paths = Object.keys(lock.packages)
  const missing = Object.entries(lock.packages).flatMap(([by, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !paths.some((path) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`)),
      )
      .map((name) => `${name}, wanted by ${by}`),
  )
  expect(missing, 'write the lock against the whole npm registry, with no node_modules beside it').toEqual([])
})
