// The project's name (Compose Specification, "Version and name"; compose-go's NormalizeProjectName).

/** Lower case, of letters, digits, `_` and `-`, beginning with a letter or digit; may leave nothing. */
export const normaliseName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')

/** The last part of a path, of either kind of slash. */
export const baseName = (directory: string): string => directory.split(/[/\\]/).findLast((part) => part !== '') ?? ''
