// `extends`: a service of one document takes over what another of the same document says (Compose Specification,
// "extends"), with the rules of merging. Chains are followed, circles refused. Services keep only the keys we read.

import { circlesOf } from '../circle.ts'
import { SERVICE_KEYS } from '../keys.ts'
import type { Report } from '../report.ts'
import { nearest } from '../suggest.ts'
import { child, type Entry, entriesOf, type Mapping, type Tree, textOf } from '../tree.ts'
import { mergeTrees } from './merge.ts'

type Services = ReadonlyMap<string, Entry>
/** What each service extends. */
type Bases = ReadonlyMap<string, string | null>

const without = (service: Tree, dropped: (key: string) => boolean): Tree =>
  service.tag === 'mapping'
    ? { ...service, entries: new Map([...service.entries].filter(([key]) => !dropped(key))) }
    : service

/** The service that this one extends, if it does and may; mistakes go to the report. */
const baseOf = (name: string, service: Tree, services: Services, report: Report): string | null => {
  const written = child(service, 'extends')
  const file = child(written, 'file')
  if (file !== undefined) {
    const instead = 'put the base service into this file, or give both files'
    report.errors.push({ tag: 'NotSupported', what: '"extends" of another file', instead, at: file.at })
    return null
  }
  const reference = written?.tag === 'mapping' ? child(written, 'service') : written
  const base = textOf(reference)
  if (reference === undefined || base === undefined) return null
  if (services.has(base)) return base
  const known = [...services.keys()]
  const where = `services.${name}.extends`
  const suggestion = nearest(base, known)
  report.errors.push({ tag: 'Unknown', noun: 'service', name: base, where, suggestion, known, at: reference.at })
  return null
}

/** From this service down to one without a base, or with one that is done. There are no circles left. */
const chainFrom = (name: string, bases: Bases, done: ReadonlyMap<string, Tree>): ReadonlyArray<string> => {
  const chain: string[] = []
  for (let at: string | null = name; at !== null && !done.has(at); at = bases.get(at) ?? null) chain.push(at)
  return chain
}

const breakCircles = (bases: Bases, services: Services, report: Report): Bases => {
  const open = new Map(bases)
  for (const chain of circlesOf(bases.keys(), (name) => bases.get(name) ?? null)) {
    const first = services.get(chain[0] ?? '')
    if (first === undefined) continue
    report.errors.push({ tag: 'ExtendsLoop', chain, at: child(first.value, 'extends')?.at ?? first.keyAt })
    for (const member of chain) open.set(member, null)
  }
  return open
}

export const applyExtends = (document: Mapping, report: Report): Mapping => {
  const section = document.entries.get('services')
  if (section?.value.tag !== 'mapping') return document
  const services: Services = new Map(
    entriesOf(section.value).map(([name, { keyAt, value }]) => [
      name,
      { keyAt, value: without(value, (key) => !SERVICE_KEYS.has(key)) },
    ]),
  )
  const written = new Map([...services].map(([name, { value }]) => [name, baseOf(name, value, services, report)]))
  const bases = breakCircles(written, services, report)
  const done = new Map<string, Tree>()
  for (const name of services.keys()) {
    for (const member of chainFrom(name, bases, done).toReversed()) {
      const own = services.get(member)
      if (own === undefined) continue
      const base = done.get(bases.get(member) ?? '')
      const whole = base === undefined ? own.value : mergeTrees(base, own.value, ['services', member])
      done.set(
        member,
        without(whole, (key) => key === 'extends'),
      )
    }
  }
  const entries = new Map(
    [...services].map(([name, entry]) => [name, { ...entry, value: done.get(name) ?? entry.value }]),
  )
  return {
    ...document,
    entries: new Map(document.entries).set('services', { ...section, value: { ...section.value, entries } }),
  }
}
