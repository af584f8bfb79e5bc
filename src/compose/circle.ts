// Circles in "each refers to at most one other": found once each, in time linear in the names.

/** Each circle begins and ends with the member that comes first in `names`. */
export const circlesOf = (
  names: Iterable<string>,
  next: (name: string) => string | null,
): ReadonlyArray<ReadonlyArray<string>> => {
  const done = new Set<string>()
  const circles: ReadonlyArray<string>[] = []
  for (const start of names) {
    const chain: string[] = []
    const place = new Map<string, number>()
    let at: string | null = start
    while (at !== null && !done.has(at) && !place.has(at)) {
      place.set(at, chain.length)
      chain.push(at)
      at = next(at)
    }
    const back = at === null ? undefined : place.get(at)
    if (at !== null && back !== undefined) circles.push([...chain.slice(back), at])
    for (const name of chain) done.add(name)
  }
  return circles
}
