// JSON for programs and for people who look: lists with one item a line.

const isFlat = (value: unknown): boolean =>
  value === null ||
  typeof value !== 'object' ||
  Object.values(value).every((each) => each === null || typeof each !== 'object')

/** Objects and lists that hold only plain values stay on one line. */
export const jsonText = (value: unknown, indent = ''): string => {
  if (isFlat(value) || value === null || typeof value !== 'object') return JSON.stringify(value)
  const inner = `${indent}  `
  if (Array.isArray(value))
    return `[\n${value.map((each) => `${inner}${jsonText(each, inner)}`).join(',\n')}\n${indent}]`
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return `{\n${entries.map(([key, each]) => `${inner}${JSON.stringify(key)}: ${jsonText(each, inner)}`).join(',\n')}\n${indent}}`
}
