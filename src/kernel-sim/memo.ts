// Indexes derived from persistent maps, made once per version of the map and forgotten with it. Derived data is never
// part of a world, so it cannot disagree with it.

import type { PMap } from '../net/pmap.ts'
import type { LinkEntry } from './link-entry.ts'

export const memoised = <K extends object, A extends object>(build: (key: K) => A): ((key: K) => A) => {
  const known = new WeakMap<K, A>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found
    const fresh = build(key)
    known.set(key, fresh)
    return fresh
  }
}

/** Stands for all versions of a namespace's links that differ in nothing but their FDBs. */
type Shape = { readonly links: PMap<LinkEntry> }
const shapes = new WeakMap<PMap<LinkEntry>, Shape>()

const shapeOf = (links: PMap<LinkEntry>): Shape => {
  const known = shapes.get(links)
  if (known !== undefined) return known
  const fresh = { links }
  shapes.set(links, fresh)
  return fresh
}

/** Says that `to` differs from `from` only in what bridges have learned. */
export const onlyLearned = (from: PMap<LinkEntry>, to: PMap<LinkEntry>): void => {
  shapes.set(to, shapeOf(from))
}

/** As `memoised`, for what depends on links but not on their FDBs: learning a MAC does not make it anew. */
export const memoisedByShape = <A extends object>(
  build: (links: PMap<LinkEntry>) => A,
): ((links: PMap<LinkEntry>) => A) => {
  const ofShape = memoised((shape: Shape) => build(shape.links))
  return (links) => ofShape(shapeOf(links))
}
