// That the overview of README.md tells the truth: which property (P#) of the reference is held where. And that each mutant
// still knows its place in the sources, and the property that finds it.

import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { placeOf } from '../scripts/lib/mutants.mjs'
import { filesUnder, textOf } from '../test/lib/source.ts'
import { MUTANTS } from './mutants/index.mjs'

const FILES = filesUnder('properties', /\.properties\.ts$/)
const NUMBER = /P[0-9]+/g
const MARK = / \((P[0-9]+(, P[0-9]+)*)\)$/

/** The titles of a file: what its tests and suites are called. */
const titlesOf = (path: string): ReadonlyArray<string> => {
  const titles: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(describe|it|test|fact)\b/.test(node.expression.getText())) {
      const [first] = node.arguments
      if (first !== undefined && ts.isStringLiteralLike(first)) titles.push(first.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true))
  return titles
}

const shortName = (path: string): string => path.replace(/^properties\//, '').replace(/\.properties\.ts$/, '')

/** `P1 model: what it says`, for each number that a title ends with. */
const held = FILES.flatMap((path) =>
  titlesOf(path).flatMap((title) =>
    (MARK.exec(title)?.[1]?.match(NUMBER) ?? []).map(
      (number) => `${number} ${shortName(path)}: ${title.replace(MARK, '')}`,
    ),
  ),
)

type Row = Readonly<{ number: string; sentence: string; where: ReadonlyArray<string> }>
const ROWS: ReadonlyArray<Row> = textOf('properties/README.md')
  .split('\n')
  .flatMap((line) => {
    const [, number = '', sentence = '', where = ''] = line.split('|').map((cell) => cell.trim())
    return /^P[0-9]+$/.test(number) ? [{ number, sentence, where: where.split('<br>') }] : []
  })

describe('the overview of README.md', () => {
  it('has a row for each of P1 to P27', () => {
    expect(ROWS.map(({ number }) => number)).toEqual(Array.from({ length: 27 }, (_, i) => `P${i + 1}`))
  })

  it('names exactly the properties whose titles end with a P#', () => {
    const told = ROWS.flatMap(({ number, where }) =>
      where.flatMap((each) => (each.startsWith('`') ? [`${number} ${each.replaceAll('`', '')}`] : [])),
    )
    expect([...told].sort()).toEqual([...held].sort())
  })

  it('says why where there is none', () => {
    const empty = ROWS.filter(({ where }) => !where.some((each) => each.startsWith('`')))
    for (const { number, where } of empty) expect([number, where.join()]).not.toEqual([number, ''])
    const later = ['P11', 'P12', 'P14', 'P15', 'P19', 'P20', 'P26', 'P27']
    expect(empty.map(({ number }) => number).filter((number) => !later.includes(number))).toEqual([])
  })
})

describe('a mutant', () => {
  it('has a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  it.for(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s knows its place', ([, mutant]) => {
    const { under } = mutant
    const paths = under.endsWith('.ts') ? [under] : filesUnder(under, /\.ts$/)
    const place = placeOf(
      mutant,
      paths.map((path) => ({ path, text: textOf(path) })),
    )
    expect(place, `${mutant.name}: find its place again in properties/mutants`).toHaveProperty('path')
  })

  it('is looked for by a file that is there, and stands for a row of the overview', () => {
    const numbers = ROWS.map(({ number }) => number)
    for (const { name, by, property } of MUTANTS) {
      expect([name, FILES.includes(by.file)]).toEqual([name, true])
      expect([name, numbers.includes(property)]).toEqual([name, true])
    }
  })
})
