// The second stage: variables in the values of one document (never in keys), before anything is merged.

import { E } from '../../prelude.ts'
import { bearsOnNetworks } from '../keys.ts'
import type { Report } from '../report.ts'
import { type Mapping, mapScalars, type Path, type Scalar } from '../tree.ts'
import { fill, type Lookup, parseTemplate } from './template.ts'

/** One value filled in; a mistake goes to the report and leaves it as it is. */
export const interpolateScalar = (scalar: Scalar, path: Path, lookup: Lookup, report: Report): Scalar => {
  if (typeof scalar.value !== 'string' || !scalar.value.includes('$')) return scalar
  const template = parseTemplate(scalar.value)
  if (E.isLeft(template)) {
    report.errors.push({ tag: 'BadVariable', reason: template.left, text: brief(scalar.value), at: scalar.at })
    return scalar
  }
  const filled = fill(template.right, lookup, (name) => {
    if (bearsOnNetworks(path))
      report.notes.push({ at: scalar.at, text: `the variable ${name} is not set; it counts as empty` })
  })
  if (E.isLeft(filled)) {
    report.errors.push({ tag: 'RequiredVariable', ...filled.left, at: scalar.at })
    return scalar
  }
  return { ...scalar, value: filled.right, source: filled.right }
}

const brief = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text)

export const interpolate = (document: Mapping, lookup: Lookup, report: Report): Mapping =>
  // A mapping stays one: mapScalars changes only scalars.
  mapScalars(document, (scalar, path) => interpolateScalar(scalar, path, lookup, report)) as Mapping
