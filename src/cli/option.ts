// Ways to read options that several verbs share.

/** For an option that may be repeated. Commander hands over what came before; nothing did for the first. */
export const collect = (value: string, all: ReadonlyArray<string> | undefined): ReadonlyArray<string> => [
  ...(all ?? []),
  value,
]
