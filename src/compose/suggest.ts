// "Did you mean": the known name nearest to a mistyped one, by edits of one character (Damerau-Levenshtein, with
// neighbours swapped counting one).

const distance = (a: string, b: string): number => {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : change
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, change, swap))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** Bounds on the work for a hostile file. */
const LONGEST = 64
const MOST = 500

/** The nearest of `known`, if it is near enough to be meant: a third of the name's length, at least one edit. */
export const nearest = (name: string, known: Iterable<string>): string | null => {
  if (name.length > LONGEST) return null
  let best: string | null = null
  let least = Math.max(1, Math.floor(name.length / 3)) + 1
  let looked = 0
  for (const candidate of known) {
    if (++looked > MOST) break
    if (candidate.length > LONGEST) continue
    const edits = distance(name.toLowerCase(), candidate.toLowerCase())
    if (edits < least) {
      least = edits
      best = candidate
    }
  }
  return best
}
