// Expectations: sentences under `x-cnm: expect:` about who reaches whom (the grammar is EXPECTATION_GRAMMAR in error.ts).

import { parsePort, parseTransport } from '../net/port.ts'
import { E, type Either } from '../prelude.ts'
import { type Expectation, type ExposedPort, PLACES, type ProjectContainer } from './project.ts'
import { isFull, type Report } from './report.ts'
import { nearest } from './suggest.ts'
import { child, itemsOf, type Mapping, textOf } from './tree.ts'

type Sentence = Readonly<{ from: string; to: string; port: ExposedPort | null; reaches: boolean }>

const MEANING: Readonly<Record<string, string>> = { host: 'machine itself', internet: 'world outside' }

const parsePortWord = (word: string): Either<string, ExposedPort> => {
  const [proto = '', number = '', ...rest] = word.split('/')
  if (/^[0-9]+$/.test(proto) && rest.length === 0)
    return E.left(`"${word}" is not a port such as tcp/8080; write ${number === '' ? 'tcp' : number}/${proto}`)
  const transport = parseTransport(proto)
  const port = parsePort(number)
  if (E.isLeft(transport) || rest.length > 0 || number === '') return E.left(`"${word}" is not a port such as tcp/8080`)
  if (E.isLeft(port)) return port
  return E.right({ port: port.right, proto: transport.right })
}

/** Left: a clause about what is wrong. */
export const parseSentence = (text: string): Either<string, Sentence> => {
  const words = text.trim().split(/\s+/)
  const [from = '', verb, ...rest] = words
  const negated = verb === 'does' && rest[0] === 'not' && rest[1] === 'reach'
  if (verb !== 'reaches' && !negated) return E.left('the second word is not "reaches" or "does not reach"')
  const [to, on, portWord, ...more] = negated ? rest.slice(2) : rest
  if (to === undefined) return E.left('it does not say who is reached')
  if (on !== undefined && on !== 'on') return E.left(`"${on}" stands where "on" should`)
  if (on !== undefined && portWord === undefined) return E.left('a port is missing after "on"')
  if (more.length > 0) return E.left(`"${more.join(' ')}" is too much`)
  if (from === to && PLACES.includes(from)) return E.left(`no container is named`)
  const port = portWord === undefined ? E.right(null) : parsePortWord(portWord)
  return E.isLeft(port) ? port : E.right({ from, to, port: port.right, reaches: !negated })
}

type Names = Readonly<{
  /** What is said to the name that expectations carry. */
  known: ReadonlyMap<string, string>
  services: ReadonlySet<string>
  /** Services without a container now, and why. */
  absent: ReadonlyMap<string, string>
}>

/** Service names come first, then our containers' names, then Docker's. */
export const namesOf = (containers: ReadonlyArray<ProjectContainer>, absent: ReadonlyMap<string, string>): Names => {
  const pairs = [
    ...containers.map(({ fullName, name }) => [fullName, name] as const),
    ...containers.map(({ name }) => [name, name] as const),
    ...containers.map(({ service }) => [service, service] as const),
    ...PLACES.map((place) => [place, place] as const),
  ]
  return { known: new Map(pairs), services: new Set(containers.map(({ service }) => service)), absent }
}

export const expectationsOf = (project: Mapping, names: Names, report: Report): ReadonlyArray<Expectation> =>
  itemsOf(child(child(project, 'x-cnm'), 'expect')).flatMap((item): ReadonlyArray<Expectation> => {
    const text = textOf(item) ?? ''
    const { at } = item
    if (isFull(report)) return []
    const sentence = parseSentence(text)
    if (E.isLeft(sentence)) {
      report.errors.push({ tag: 'BadExpectation', text, reason: sentence.left, at })
      return []
    }
    const { port, reaches } = sentence.right
    const said = [sentence.right.from, sentence.right.to]
    for (const name of said)
      if (PLACES.includes(name) && names.services.has(name))
        report.notes.push({ at, text: `"${name}" means the ${MEANING[name]} here, not the service of that name` })
    const unknown = said.filter((name) => !names.known.has(name) && !names.absent.has(name))
    for (const name of unknown) {
      const known = [...new Set(names.known.values())].filter((each) => !PLACES.includes(each))
      report.errors.push({ tag: 'UnknownEndpoint', name, suggestion: nearest(name, names.known.keys()), known, at })
    }
    const absent = said.find((name) => !names.known.has(name) && names.absent.has(name))
    if (absent !== undefined)
      report.notes.push({ at, text: `not checked: "${text}"; ${names.absent.get(absent) ?? ''}` })
    const [from, to] = said.map((name) => names.known.get(name))
    return from === undefined || to === undefined ? [] : [{ from, to, port, reaches, text, at }]
  })
