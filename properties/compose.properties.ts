// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

// Reading a Compose file is total: whatever the text, it gives a project or errors, and an error has a place in the file.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { expect, test as fact } from 'vitest'
import type { At } from '../src/compose/at.ts'
import { toCommands } from '../src/compose/commands.ts'
import { readProject } from '../src/compose/compose.ts'
import { explainCompose } from '../src/compose/error.ts'
import { parseDotenv } from '../src/compose/interpolate/dotenv.ts'
import { E } from '../src/prelude.ts'

const VALID = `name: shop
x-base: &base
  expose: ["80", 9000-9002/udp]
services:
  web:
    <<: *base
    ports: ["8080:80", "127.0.0.1:9000-9001:90-91/udp", {target: 443, published: "8443-8450"}]
    networks:
      front: {aliases: [www], ipv4_address: 10.1.0.5, gw_priority: 2}
      back: {mac_address: "02:42:ac:11:00:02", priority: 5}
  api: {extends: {service: web}, ports: !override ["\${PORT:-81}:80"], networks: !override [back]}
  db: {image: "x:\${TAG:-1}", networks: [back], deploy: {replicas: 2}}
  side: {network_mode: "service:web", profiles: [debug]}
networks:
  front: {driver: bridge, ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1}]}}
  back: {internal: true, enable_ipv6: true, labels: {a: b}}
x-cnm:
  expect: [web reaches api on tcp/80, db does not reach internet]
`

const isInside = (at: At, text: string): boolean => {
  const lines = text.split('\n')
  const line = lines[at.line - 1]
  return line !== undefined && at.column >= 1 && at.column <= line.length + 1
}

/** The law: no throw, a project that becomes commands, or errors each with a place in the text and one line to say. */
const isRead = (text: string): void => {
  const result = readProject([{ path: 'f', text }], { env: { TAG: 'x' }, directory: 'p', profiles: ['debug'] })
  if (E.isRight(result)) {
    expect(toCommands(result.right).commands.every(({ at }) => isInside(at, text))).toBe(true)
    expect(result.right.notes.every(({ at }) => isInside(at, text))).toBe(true)
    return
  }
  for (const error of result.left) {
    expect(isInside(error.at, text), explainCompose(error)).toBe(true)
    expect(explainCompose(error)).not.toMatch(/\n|undefined|\[object|NaN/)
  }
}

fact('the file that the mutations begin with is a good one', () => {
  const result = readProject([{ path: 'f', text: VALID }], { env: {}, directory: 'p', profiles: ['debug'] })
  expect(E.isRight(result) ? result.right.containers.length : result.left.map(explainCompose)).toBe(5)
})

test.prop([fc.string({ unit: 'binary', maxLength: 200 })])('any text is read', isRead)

const DOTENVISH = fc.array(
  fc.oneof(
    fc.constantFrom('A', '=', ':', '\n', '"', "'", '\\', '#', ' ', '$', '${', '}', 'export ', '\r'),
    fc.string({ maxLength: 3 }),
  ),
  { maxLength: 40 },
)
test.prop([DOTENVISH])('any .env file is read, or refused at a place inside it', (parts) => {
  const text = parts.join('')
  const result = parseDotenv('.env', text, () => undefined)
  if (E.isLeft(result)) expect(isInside(result.left.at, text), explainCompose(result.left)).toBe(true)
})

const YAMLISH = fc.array(
  fc.oneof(
    fc.constantFrom(...'[]{}:,-?&*!|>%@#"\'$'),
    fc.constantFrom('\n', '\n  ', '\n    ', ' ', '<<', ': ', '- ', '&a ', '*a', '!reset ', '---\n', '${', '}', '\t'),
    fc.constantFrom(
      'services',
      'networks',
      'ports',
      'web',
      'ipam',
      'config',
      'subnet',
      'x-cnm',
      'extends',
      'null',
      '80',
    ),
  ),
  { maxLength: 60 },
)
test.prop([YAMLISH])('any heap of YAML tokens is read', (tokens) => isRead(tokens.join('')))

/** Cut something out, put something in, move something. */
const mutation = fc.oneof(
  fc.record({ from: fc.nat(VALID.length), length: fc.nat(40), put: fc.constant('') }),
  fc.record({ from: fc.nat(VALID.length), length: fc.nat(3), put: fc.string({ maxLength: 6 }) }),
  fc.record({
    from: fc.nat(VALID.length),
    length: fc.nat(12),
    put: fc.constantFrom(
      'null',
      '[]',
      '{}',
      '10.1.0.1',
      '10.0.0.0/8',
      '"80-90:80"',
      'web',
      '-1',
      'true',
      '!reset x',
      '*base',
      '${X:?}',
    ),
  }),
)
const mutated = fc
  .array(mutation, { minLength: 1, maxLength: 4 })
  .map((steps) =>
    steps.reduce((text, { from, length, put }) => text.slice(0, from) + put + text.slice(from + length), VALID),
  )
test.prop([mutated])('any mutation of a good file is read', isRead)

/** One value of the good file, by its text, replaced by another value: stays YAML, so it reaches the later stages. */
const SCALARS = [...VALID.matchAll(/[A-Za-z0-9_./:-]+/g)].map((match) => [match.index, match[0].length] as const)
const swapped = fc
  .array(fc.tuple(fc.constantFrom(...SCALARS), fc.constantFrom(...SCALARS)), { minLength: 1, maxLength: 3 })
  .map((pairs) =>
    pairs
      .toSorted(([[a]], [[b]]) => b - a)
      .reduce(
        (text, [[at, length], [from, size]]) =>
          text.slice(0, at) + VALID.slice(from, from + size) + text.slice(at + length),
        VALID,
      ),
  )
test.prop([swapped])('a good file with some of its words exchanged is read', isRead)

/** YAML that is certainly well formed, in the shape of a Compose file or not. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      fc.constantFrom('web', 'n', '80:80', '10.0.0.1', '10.0.0.0/8', '__proto__'),
    ),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'web',
        'n',
        'ports',
        'networks',
        'ipam',
        'config',
        'subnet',
        'gateway',
        'target',
        'published',
        'extends',
        'service',
        'network_mode',
        'links',
        'deploy',
        'replicas',
        'scale',
        'profiles',
        'expose',
        '__proto__',
        'constructor',
      ),
      tie('any'),
      { maxKeys: 4 },
    ),
  ),
}))
test.prop([
  fc.record(
    {
      services: fc.dictionary(fc.constantFrom('web', 'db'), value.any, { minKeys: 1 }),
      networks: value.any,
      'x-cnm': value.any,
      name: value.any,
    },
    { requiredKeys: ['services'] },
  ),
])('any JSON in the place of its parts is read', (document) => isRead(JSON.stringify(document)))
