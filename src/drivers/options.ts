// Reading a driver's options: each is declared once, with its default and the spellings it answers to.

import type { CnmError } from '../model/error.ts'
import type { DriverConfig } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'

type Value = string | number | boolean | null
/** Left: what was expected. */
type Reader = (text: string) => Either<string, Value>

/** `names`: Docker's label first, then short spellings of ours; none for what is not the user's to say. `about`: a clause for the user. */
export type OptionSpec = Readonly<{ names: ReadonlyArray<string>; otherwise: Value; read: Reader; about: string }>
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

/** What Docker takes for a boolean (Go's strconv.ParseBool). */
export const readBoolean: Reader = (text) =>
  TRUE.has(text) ? E.right(true) : FALSE.has(text) ? E.right(false) : E.left('true or false')

export const readNumber =
  (from: number, to: number): Reader =>
  (text) => {
    const n = Number(text)
    return /^[0-9]+$/.test(text) && n >= from && n <= to ? E.right(n) : E.left(`a whole number from ${from} to ${to}`)
  }

export const readOneOf =
  (words: ReadonlyArray<string>): Reader =>
  (text) =>
    words.includes(text) ? E.right(text) : E.left(`one of ${words.join(', ')}`)

/** `expected` is a phrase: "an interface name". */
export const readText =
  (parse: (text: string) => Either<unknown, string>, expected: string): Reader =>
  (text) =>
    E.mapLeft(() => expected)(parse(text))

/** Every declared option, read or defaulted. Options nobody declared are ignored, as Docker ignores them. */
export const readOptions =
  (driver: string, specs: Readonly<Record<string, OptionSpec>>) =>
  (options: Readonly<Record<string, string>>): Either<CnmError, DriverConfig> => {
    const config: Record<string, Value> = {}
    for (const [key, { names, otherwise, read }] of Object.entries(specs)) {
      const option = names.find((name) => options[name] !== undefined)
      const text = option === undefined ? undefined : options[option]
      if (option === undefined || text === undefined) {
        config[key] = otherwise
        continue
      }
      const value = read(text)
      if (E.isLeft(value)) return E.left({ tag: 'BadOption', driver, option, value: text, expected: value.left })
      config[key] = value.right
    }
    return E.right(config)
  }

/** What a network has of which nothing was said. */
export const defaultsOf = (specs: Readonly<Record<string, OptionSpec>>): DriverConfig =>
  Object.fromEntries(Object.entries(specs).map(([key, { otherwise }]) => [key, otherwise]))

/** Whether each value of a config is one that its option's reader gives. Options that a former version did not know are missing. */
export const isConfigOf =
  (specs: Readonly<Record<string, OptionSpec>>) =>
  (config: DriverConfig): boolean =>
    Object.entries(config).every(([key, value]) => {
      const spec = specs[key]
      if (spec === undefined || value === spec.otherwise) return spec !== undefined
      const again = spec.read(String(value))
      return E.isRight(again) && again.right === value
    })
