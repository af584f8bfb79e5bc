// Reading data that may be anything into a type, field by field: a value that is not exactly what it should be is refused, with
// the place. Nothing is defaulted, converted or passed over.

import { E, type Either } from '../../prelude.ts'

/** Left: where, and what was expected there. */
export type Decoder<A> = (value: unknown) => Either<string, A>

const refuse = (expected: string): Either<string, never> => E.left(`: ${expected} expected`)
const within = (place: string, why: string): Either<string, never> => E.left(`${place}${why}`)

/** What passes this test. */
export const where =
  <A>(is: (value: unknown) => value is A, expected: string): Decoder<A> =>
  (value) =>
    is(value) ? E.right(value) : refuse(expected)

/** What passes a test besides. */
export const and =
  <A>(decoder: Decoder<A>, holds: (value: A) => boolean, expected: string): Decoder<A> =>
  (value) => {
    const read = decoder(value)
    return E.isRight(read) && !holds(read.right) ? refuse(expected) : read
  }

export const text: Decoder<string> = where((value) => typeof value === 'string', 'a text')
export const flag: Decoder<boolean> = where((value) => typeof value === 'boolean', 'true or false')
const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && !Object.is(value, -0)
export const integer: Decoder<number> = where(isWhole, 'a whole number')

export const nullable =
  <A>(decoder: Decoder<A>): Decoder<A | null> =>
  (value) =>
    value === null ? E.right(null) : decoder(value)

export const oneOf = <A extends string>(...words: ReadonlyArray<A>): Decoder<A> =>
  where((value): value is A => words.some((word) => word === value), words.join(' or '))

/** A text that its parser takes, and would write the same. */
export const parsed =
  <A extends string>(parse: (written: string) => Either<string, A>, expected: string): Decoder<A> =>
  (value) => {
    const read = typeof value === 'string' ? parse(value) : refuse(expected)
    return E.isRight(read) && read.right === value ? read : refuse(expected)
  }

export const list =
  <A>(decoder: Decoder<A>): Decoder<ReadonlyArray<A>> =>
  (value) => {
    if (!Array.isArray(value)) return refuse('a list')
    const items: A[] = []
    for (const [i, item] of value.entries()) {
      const read = decoder(item)
      if (E.isLeft(read)) return within(`[${i}]`, read.left)
      items.push(read.right)
    }
    return E.right(items)
  }

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Values of one kind under keys that are anybody's. */
export const dictionary =
  <A>(decoder: Decoder<A>): Decoder<Readonly<Record<string, A>>> =>
  (value) => {
    if (!isObject(value)) return refuse('an object')
    const entries: Array<readonly [string, A]> = []
    for (const [key, item] of Object.entries(value)) {
      const read = decoder(item)
      if (E.isLeft(read)) return within(`.${key}`, read.left)
      entries.push([key, read.right])
    }
    return E.right(Object.fromEntries(entries))
  }

/** An object with exactly these fields. */
export const record = <A extends object>(fields: { readonly [K in keyof A]: Decoder<A[K]> }): Decoder<A> => {
  // Casts: `fields` has the keys of A, and `read` gets the value of each from its own decoder.
  const decoders = Object.entries(fields) as ReadonlyArray<readonly [string, Decoder<unknown>]>
  return (value) => {
    if (!isObject(value)) return refuse('an object')
    const stranger = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    if (stranger !== undefined) return within(`.${stranger}`, ': no such field')
    const read: Record<string, unknown> = {}
    for (const [key, decoder] of decoders) {
      const field = decoder(value[key])
      if (E.isLeft(field)) return within(`.${key}`, field.left)
      read[key] = field.right
    }
    return E.right(read as A)
  }
}
