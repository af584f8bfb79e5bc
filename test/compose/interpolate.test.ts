// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

import { describe, expect, test } from 'vitest'
import { parseDotenv } from '../../src/compose/interpolate/dotenv.ts'
import { fill, parseTemplate } from '../../src/compose/interpolate/template.ts'
import { E } from '../../src/prelude.ts'
import { containerOf, projectOf, refusalsOf } from './lib.ts'

const ENV: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '', _x1: 'under' }

const filled = (text: string): string => {
  const template = parseTemplate(text)
  if (E.isLeft(template)) return `wrong: ${template.left}`
  const result = fill(
    template.right,
    (name) => ENV[name],
    () => undefined,
  )
  return E.isLeft(result) ? `missing ${result.left.name}: ${result.left.message}` : result.right
}

// The table of the Compose Specification, each operator with a variable that is set, empty and unset.
test.each([
  ['plain', 'plain'],
  ['$SET', 'value'],
  ['${SET}', 'value'],
  ['a${SET}b$SET', 'avaluebvalue'],
  ['$SET-x', 'value-x'],
  ['$_x1', 'under'],
  ['$UNSET', ''],
  ['${UNSET}', ''],
  ['${SET:-default}', 'value'],
  ['${EMPTY:-default}', 'default'],
  ['${UNSET:-default}', 'default'],
  ['${SET-default}', 'value'],
  ['${EMPTY-default}', ''],
  ['${UNSET-default}', 'default'],
  ['${SET:?err}', 'value'],
  ['${EMPTY:?err}', 'missing EMPTY: err'],
  ['${UNSET:?err}', 'missing UNSET: err'],
  ['${SET?err}', 'value'],
  ['${EMPTY?err}', ''],
  ['${UNSET?err}', 'missing UNSET: err'],
  ['${UNSET?}', 'missing UNSET: '],
  ['${SET:+alt}', 'alt'],
  ['${EMPTY:+alt}', ''],
  ['${UNSET:+alt}', ''],
  ['${SET+alt}', 'alt'],
  ['${EMPTY+alt}', 'alt'],
  ['${UNSET+alt}', ''],
  ['${UNSET:-${SET}}', 'value'],
  ['${UNSET:-${EMPTY:-deep}}-tail', 'deep-tail'],
  ['${UNSET:-a $SET b}', 'a value b'],
  ['${UNSET?$SET}', 'missing UNSET: value'],
  ['${SET:-${UNSET?never}}', 'value'],
  ['${UNSET:--}', '-'],
  ['${UNSET:-a:b-c?d}', 'a:b-c?d'],
  ['$$SET', '$SET'],
  ['$$$SET', '$value'],
  ['$$', '$'],
  ['${UNSET:-$$}', '$'],
  ['{"a": "}"}', '{"a": "}"}'],
  ['$', 'wrong: "$" is not followed by the name of a variable'],
  ['a $ b', 'wrong: "$" is not followed by the name of a variable'],
  ['$1', 'wrong: "$" is not followed by the name of a variable'],
  ['${}', 'wrong: "${" is not followed by the name of a variable'],
  ['${SET', 'wrong: "}" is missing'],
  ['${SET:-x', 'wrong: "}" is missing'],
  ['${SET/a/b}', 'wrong: "${SET" may only be followed by :- - :? ? :+ + or }'],
])('%s is %s', (text, expected) => expect(filled(text)).toBe(expected))

test('nesting has a limit', () =>
  expect(filled(`${'${U:-'.repeat(30)}${'}'.repeat(30)}`)).toBe('wrong: variables nest more than 20 levels deep'))

describe('in a file', () => {
  const text = `services:
  web:
    hostname: "\${HOST_NAME:-web}"
    ports: ["\${PORT}:80"]
    networks: [n]
    environment: {IGNORED: "$NOT_SET"}
networks:
  n: {internal: "\${INTERNAL-no}", ipam: {config: [{subnet: "\${NET:-10.1}.0.0/16"}]}}
`
  test('values are filled in from the environment, then the .env file', () => {
    const project = projectOf(text, { env: { PORT: '81' }, dotenv: 'PORT=82\nHOST_NAME=w\nINTERNAL=true\n' })
    expect(containerOf(project, 'web')).toMatchObject({ hostname: 'w', ports: [{ hostPorts: { from: 81, to: 81 } }] })
    expect(project.networks[0]?.internal).toBe(true)
  })

  test('an unset variable counts as empty; that is noted where it bears on networks', () => {
    const project = projectOf(text)
    expect(containerOf(project, 'web').ports).toMatchObject([{ hostPorts: null, containerPort: 80 }])
    expect(project.notes).toEqual([
      { at: { file: 'compose.yaml', line: 4, column: 13 }, text: 'the variable PORT is not set; it counts as empty' },
    ])
  })

  test('keys are left as they are', () =>
    expect(refusalsOf('services: {"$A": {}}', { env: { A: 'a' } })).toEqual([
      'compose.yaml:1:12: services: "$A" is not a name: letters, digits, ".", "_" and "-"',
    ]))

  test('the environment is not asked for what only its prototype has', () =>
    expect(containerOf(projectOf('services: {a: {hostname: "x${constructor}${__proto__}"}}'), 'a').hostname).toBe('x'))
})

describe('the .env file', () => {
  const read = (text: string, outer: Readonly<Record<string, string>> = {}) => {
    const result = parseDotenv('.env', text, (name) => outer[name])
    return E.isLeft(result) ? result.left : Object.fromEntries(result.right)
  }

  test.each([
    ['VAR=VAL', 'VAL'],
    ['VAR="VAL"', 'VAL'],
    ["VAR='VAL'", 'VAL'],
    ['export VAR=VAL', 'VAL'],
    ['VAR: VAL', 'VAL'],
    ['VAR=VAL # comment', 'VAL'],
    ['VAR=VAL# not a comment', 'VAL# not a comment'],
    ['VAR="VAL # not a comment"', 'VAL # not a comment'],
    ['VAR="VAL" # comment', 'VAL'],
    ["VAR='$OTHER'", '$OTHER'],
    ["VAR='${OTHER}'", '${OTHER}'],
    ["VAR='Let\\'s go!'", "Let's go!"],
    ['VAR="{\\"hello\\": \\"json\\"}"', '{"hello": "json"}'],
    ['VAR="some\\tvalue"', 'some\tvalue'],
    ["VAR='some\\tvalue'", 'some\\tvalue'],
    ['VAR=some\\tvalue', 'some\\tvalue'],
    ['VAR="two\nlines"', 'two\nlines'],
    ['VAR=', ''],
    ['VAR=a\r\nB=c', 'a'],
    ['A=1\n\n# c\nVAR=${A}${B:-2}', '12'],
  ])('%j', (text, value) => expect(read(text)).toMatchObject({ VAR: value }))

  test('a name alone sets nothing', () => expect(read('VAR\nB=1')).toEqual({ B: '1' }))
  test('the environment wins inside it too', () => expect(read('A=1\nB=$A', { A: '2' })).toMatchObject({ B: '2' }))
  test('a mistake has its place', () => {
    expect(read('A=1\n=2\n')).toMatchObject({ at: { file: '.env', line: 2, column: 1 } })
    expect(read('A="x')).toMatchObject({ at: { line: 1, column: 3 } })
    expect(read('A B=1')).toMatchObject({ at: { line: 1, column: 3 } })
  })
})
