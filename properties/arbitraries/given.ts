// Fields that may be left out.

import fc from 'fast-check'

/** Fields that may be left out, and mostly are. */
export const seldom = <A>(...values: ReadonlyArray<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...values) })

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> }
/** Without the fields that are undefined. A cast: those that stay have a value. */
export const given = <T extends object>(fields: T): Partial<Given<T>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Given<T>>
