// The style of docs/architecture.md and CONTRIBUTING.md, as far as a program can see it. Each failure names the places and
// says what to do instead. Who may import whom is dependency-cruiser's part, layout and lint are biome's.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { type Finding, filesUnder, findings, ROOT, textOf } from './lib/source.ts'

const PURE = ['net', 'kernel', 'ipam', 'history', 'model', 'drivers', 'kernel-sim', 'shell']
const SCRIPT = /\.(ts|mjs)$/
const pure = PURE.map((folder) => `src/${folder}`)
const pureFiles = pure.flatMap((folder) => filesUnder(folder, SCRIPT))
const sources = filesUnder('src', SCRIPT)
const tests = ['test', 'properties'].flatMap((folder) => filesUnder(folder, /\.ts$/))
const written = ['src', 'test', 'properties', 'bench', 'scripts'].flatMap((folder) => filesUnder(folder, SCRIPT))
const pages = [
  ...filesUnder('docs', /\.md$/),
  ...filesUnder('examples', /\.md$/),
  ...filesUnder('src', /\.md$/),
].concat(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter((name) => existsSync(ROOT + name)))

/** Fails with the places and the lesson. */
const expectNone = (found: ReadonlyArray<Finding>, lesson: string): void =>
  expect(found, `${lesson}\n  ${found.join('\n  ')}\n`).toEqual([])

const AMBIENT = new Set([
  'Date',
  'process',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'fetch',
])

/** Files that offer a pure world through a port whose answers are promises; they wait for none. */
const PORTS = new Set(['src/kernel-sim/kernel.ts'])

/** A name that is used as a value, and not as a property, a key or a parameter of somebody else's. */
const isReference = (node: ts.Identifier): boolean => {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node
  return !('name' in parent && parent.name === node)
}

const impure = (node: ts.Node, source: ts.SourceFile): string | undefined => {
  if (ts.isClassLike(node)) return 'class'
  if (ts.isAwaitExpression(node)) return 'await'
  if (node.kind === ts.SyntaxKind.AsyncKeyword && !PORTS.has(source.fileName)) return 'async'
  if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') return 'Math.random'
  if (ts.isIdentifier(node) && AMBIENT.has(node.text) && isReference(node)) return node.text
  return undefined
}

const bare = (node: ts.Node, source: ts.SourceFile): string | undefined => {
  if (!ts.isCallExpression(node)) return undefined
  const called = node.expression.getText(source)
  return /^(describe|it|test)(\.\w+)*\.(only|skip|todo)$/.test(called) ? called : undefined
}

const MAX_FILE_LINES = 450
const MAX_FUNCTION_LINES = 80

/** Lines of the function that are its own: a function inside counts there, and here as one line. */
const ownLines = (node: ts.Node, source: ts.SourceFile): number => {
  const line = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const linesOf = (part: ts.Node): number => line(part.getEnd()) - line(part.getStart(source)) + 1
  let inner = 0
  const visit = (part: ts.Node): void => {
    if (ts.isFunctionLike(part)) inner += linesOf(part) - 1
    else ts.forEachChild(part, visit)
  }
  ts.forEachChild(node, visit)
  return linesOf(node) - inner
}

const longFunction = (node: ts.Node, source: ts.SourceFile): string | undefined => {
  if (!ts.isFunctionLike(node)) return undefined
  const lines = ownLines(node, source)
  return lines > MAX_FUNCTION_LINES ? `a function of ${lines} lines` : undefined
}

/** Lines of the file that match, as findings. */
const linesWith = (path: string, pattern: RegExp): ReadonlyArray<Finding> =>
  textOf(path)
    .split('\n')
    .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : []))

const LINK = /\[[^\]]*\]\(([^)\s]+)[^)]*\)/g
const ELSEWHERE = /^([a-z]+:|#)/

const deadLinks = (page: string): ReadonlyArray<Finding> =>
  [...textOf(page).matchAll(LINK)].flatMap(([, target = '']) => {
    if (ELSEWHERE.test(target)) return []
    const path = decodeURIComponent(target.replace(/#.*$/, ''))
    return existsSync(join(ROOT, dirname(page), path)) ? [] : [`${page} links to ${target}`]
  })

describe('the rules below see what they forbid', () => {
  const wrong = (text: string): ReadonlyArray<Finding> => findings('x.ts', impure, text)

  test.for([
    ['class A {}', 'class'],
    ['const f = async () => 1', 'async'],
    ['await 1', 'await'],
    ['const now = Date.now()', 'Date'],
    ['const dice = () => Math.random()', 'Math.random'],
    ['const home = process.env.HOME', 'process'],
    ['const f = () => { console.log(1) }', 'console'],
  ] as const)('%s', ([text, what]) => {
    expect(wrong(text)).toEqual([`x.ts:1 ${what}`])
  })

  test.for([
    ['a comment', '// a process with a class, which may await a Date'],
    ['a string', 'const s = "process Date class await"'],
    ['a property', 'const d = event.process.Date'],
    ['a key', 'const o = { process: 1, console: 2 }'],
  ] as const)('and leave %s alone', ([, text]) => {
    expect(wrong(text)).toEqual([])
  })

  test('a bare test.only and it.skip are found, a skip with a reason is not', () => {
    const text = "test.only('a', f)\nit.concurrent.skip('b', f)\nctx.skip('no reason to run')\nneeds.kernel('c', f)"
    expect(findings('x.ts', bare, text)).toEqual(['x.ts:1 test.only', 'x.ts:2 it.concurrent.skip'])
  })

  test('a long function is found, at its first line', () => {
    const text = `const f = () => {\n${'  g()\n'.repeat(MAX_FUNCTION_LINES)}}`
    expect(findings('x.ts', longFunction, text)).toEqual([`x.ts:1 a function of ${MAX_FUNCTION_LINES + 2} lines`])
  })

  test('functions inside a function count for themselves', () => {
    const inner = `  const g = () => {\n${'    h()\n'.repeat(MAX_FUNCTION_LINES - 2)}  }\n`
    expect(findings('x.ts', longFunction, `const f = () => {\n${inner}${inner}}`)).toEqual([])
  })
})

describe('source', () => {
  test('there is some to look at', () => {
    expect(pureFiles.length).toBeGreaterThan(10)
    expect(written.length).toBeGreaterThan(sources.length)
  })

  test('pure folders hold functions over data, without clock, chance, environment or promise', () => {
    expectNone(
      pureFiles.flatMap((path) => findings(path, impure)),
      `${pure.join(', ')} are pure. Ids, times and random choices arrive inside commands; effects belong to engine, kernel-linux, store or cli.`,
    )
  })

  test('every file of src begins with what it owns', () => {
    expectNone(
      sources.filter((path) => !/^(#!.*\n)?(\/\/|\/\*)/.test(textOf(path))),
      'Begin with 2 to 5 lines of comment: what the file owns, the invariant it keeps, the source of its rules.',
    )
  })

  test(`no file is longer than ${MAX_FILE_LINES} lines`, () => {
    const long = written.flatMap((path) => {
      const lines = textOf(path).split('\n').length - 1
      return lines > MAX_FILE_LINES ? [`${path}: ${lines} lines`] : []
    })
    expectNone(long, 'Split it along a seam that has a name.')
  })

  test(`no function of src is longer than ${MAX_FUNCTION_LINES} lines`, () => {
    expectNone(
      sources.flatMap((path) => findings(path, longFunction)),
      'Give its steps names of their own, or make its cases a table.',
    )
  })

  test('nothing is left to do', () => {
    expectNone(
      written.flatMap((path) => linesWith(path, /\b(TO[D]O|FIX[M]E|X[X]X)\b/)),
      'Do it, or open an issue and leave the code as if it were finished.',
    )
  })

  test('no path of somebody’s own machine', () => {
    expectNone(
      [...written, ...pages].flatMap((path) => linesWith(path, /(^|[\s'"`(=])\/(work|root|home\/\w+|Users\/\w+)\//)),
      'Take paths from import.meta.url, from an argument or from os.tmpdir().',
    )
  })
})

describe('tests', () => {
  test('none runs alone, and none is skipped without a reason', () => {
    expectNone(
      tests.flatMap((path) => findings(path, bare)),
      'Remove .only; for what the machine may lack use `needs` of test/lib/need.ts, which tells the reader why.',
    )
  })
})

describe('pages', () => {
  test('links to files of the repository lead somewhere', () => {
    expectNone(pages.flatMap(deadLinks), 'Correct the link, or remove it.')
  })
})
