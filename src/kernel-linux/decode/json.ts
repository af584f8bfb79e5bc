// Reading the tools' JSON: it comes from outside, so nothing is believed about its shape.

export type Json = Readonly<Record<string, unknown>>

/** An object's fields; none if it is not an object. */
export const fields = (value: unknown): Json =>
  // Any object can be read as a record of unknowns.
  typeof value === 'object' && value !== null ? (value as Json) : {}
export const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
export const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
export const whole = (value: unknown): number | null => (Number.isSafeInteger(value) ? Number(value) : null)

/** The answers of `ip -j -batch -`, one to a line; a line that is not JSON reads as null. */
export const documents = (stdout: string): ReadonlyArray<unknown> =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => {
      try {
        return JSON.parse(line)
      } catch {
        return null
      }
    })
