// The small languages of the command line and of what it prints.

import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { isRunLab, runLab } from '../../src/cli/lab-name.ts'
import { jsonText } from '../../src/cli/render/json.ts'
import { junit } from '../../src/cli/render/junit.ts'
import { script, shellWord } from '../../src/cli/render/script.ts'
import { listed, table } from '../../src/cli/render/table.ts'
import { parseTarget } from '../../src/cli/target.ts'
import { parseLab } from '../../src/kernel-linux/names.ts'
import { ip } from '../../src/net/ip.ts'
import { E } from '../../src/prelude.ts'

describe('TO[:PORT/PROTO]', () => {
  const name = (text: string) => ({ tag: 'name', name: text })
  const address = (text: string) => ({ tag: 'address', ip: ip(text) })
  test.each([
    ['web', name('web'), { proto: 'icmp' }],
    ['web:80', name('web'), { proto: 'tcp', port: 80 }],
    ['web-1:53/udp', name('web-1'), { proto: 'udp', port: 53 }],
    ['172.18.0.2', address('172.18.0.2'), { proto: 'icmp' }],
    ['172.18.0.2:80/tcp', address('172.18.0.2'), { proto: 'tcp', port: 80 }],
    ['fd00::2', address('fd00::2'), { proto: 'icmp' }],
    ['[fd00::2]:80', address('fd00::2'), { proto: 'tcp', port: 80 }],
    ['[fd00::2]', address('fd00::2'), { proto: 'icmp' }],
  ])('%s', (text, who, kind) => {
    expect(parseTarget(text)).toEqual(E.right({ who, kind }))
  })
  test.each([[':80'], ['web:'], ['web:http'], ['web:80/icmp'], ['web:80/tcp/x'], ['web:0'], ['web:70000']])(
    '%s is refused',
    (text) => {
      expect(E.isLeft(parseTarget(text))).toBe(true)
    },
  )
})

describe('the name of a lab', () => {
  test.each([['two-tier'], ['x'], ['a'.repeat(200)]])('made for %s is known again', (project) => {
    const lab = runLab(project)
    expect(isRunLab(lab)).toBe(true)
    expect(E.isRight(parseLab(lab))).toBe(true)
  })
  test.each([['two'], ['two-tier'], ['ready-12345'], ['web-1'], ['bcdfg']])('%s is none of ours', (text) => {
    const lab = parseLab(text)
    expect(E.isRight(lab) && isRunLab(lab.right)).toBe(false)
  })
})

describe('JUnit', () => {
  // Whatever a file says, its results stay XML: no character that ends a tag or an attribute gets through.
  prop.prop([fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })])('is well formed', (name, message) => {
    const xml = junit(name, [{ name, file: name, line: 1, failure: { message, text: message } }])
    const rest = xml.replace(
      /<\?xml [^<>]*\?>|<\/?(testsuites|testsuite|testcase|failure)( [a-z]+="[^"<>\n]*")*\/?>/g,
      '',
    )
    expect(rest).not.toMatch(/[<>]/)
    expect(rest.replace(/&(amp|lt|gt|quot|#\d+);/g, '')).not.toContain('&')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML 1.0 cannot hold
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/)
  })
})

describe('a word for the shell', () => {
  test.each([
    ['compose.yaml', 'compose.yaml'],
    ['my file.yaml', "'my file.yaml'"],
    ["it's", "'it'\\''s'"],
    ['a\nrm -rf x', "'a?rm -rf x'"],
    ['', "''"],
  ])('%j', (word, quoted) => {
    expect(shellWord(word)).toBe(quoted)
  })
})

test('a comment of a script is one line, whatever its words are', () => {
  const text = script(['a\nrm -rf x', ''], [{ title: 'network "b\nrm -rf y"', ops: [] }], (ns) => ns)
  expect(text).toBe('# a?rm -rf x\n#\n\n# network "b?rm -rf y"')
})

describe('JSON', () => {
  prop.prop([fc.jsonValue()])('reads back as what was written', (value) => {
    expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)))
  })
})

describe('a table', () => {
  test('has columns as wide as their widest cell, colour not counted', () => {
    expect(
      table([
        ['a', '\x1b[31mno\x1b[39m', 'x'],
        ['bcd', 'yes', 'y'],
      ]),
    ).toBe('  a    \x1b[31mno\x1b[39m   x\n  bcd  yes  y')
  })
  test('of nothing is nothing', () => {
    expect(table([])).toBe('')
  })
  test('lists the first and counts the rest', () => {
    expect([listed(['a', 'b'], 2), listed(['a', 'b', 'c'], 1)]).toEqual(['a, b', 'a and 2 more'])
  })
})
