// Words of a command as sh(1) would read them again.

const PLAIN = /^[A-Za-z0-9_./:=+-]+$/

export const shellText = (words: ReadonlyArray<string>): string =>
  words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
