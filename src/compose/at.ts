// A place in a Compose file, as an editor shows it.

/** `line` and `column` count from 1; columns are UTF-16 units. */
export type At = Readonly<{ file: string; line: number; column: number }>

export const startOf = (file: string): At => ({ file, line: 1, column: 1 })
/** `compose.yaml:7:9`. */
export const showAt = (at: At): string => `${at.file}:${at.line}:${at.column}`
