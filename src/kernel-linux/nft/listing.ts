// A table's listing, read in pieces: to read some thousands of elements at once would hold everything else up for milliseconds.
// libnftables writes the elements of a set as one JSON array; it is cut at the commas between them.

import type { NftElement, NftTable } from '../../kernel/object.ts'
import type { Ns } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { elementOf, setsOf, tableOf } from '../decode/nft.ts'
import { unavailable } from '../run.ts'
import type { Result } from '../transport.ts'
import { turn } from '../turn.ts'

/** Elements in one piece: about half a millisecond. */
const PIECE = 256

/** Where the next piece of an array ends, its bracket opened before `from`: behind PIECE items, or at the closing bracket. */
const endOfPiece = (json: string, from: number): number => {
  let depth = 0
  let items = 0
  for (let i = from; i < json.length; i++) {
    const char = json[i]
    if (char === '"') {
      i = endOfString(json, i)
    } else if (char === '[' || char === '{') {
      depth += 1
    } else if (char === ']' || char === '}') {
      if (depth === 0) return i
      depth -= 1
    } else if (char === ',' && depth === 0) {
      items += 1
      if (items === PIECE) return i
    }
  }
  return json.length
}

const endOfString = (json: string, from: number): number => {
  let i = from + 1
  while (i < json.length && json[i] !== '"') i += json[i] === '\\' ? 2 : 1
  return i
}

/** A quote in a string is written `\"`, so no string looks like this. */
const ELEMENTS = /"elem": ?\[/g

/** Pieces of an array, each with its entries. */
type Pieces = ReadonlyArray<ReadonlyArray<unknown>>
/** The listing with a number in place of the elements of each set, and the elements by these numbers. */
type Cut = Readonly<{ rest: unknown; arrays: ReadonlyArray<Pieces> }>

const cut = async (json: string): Promise<Cut> => {
  const arrays: Pieces[] = []
  let rest = ''
  let done = 0
  for (const found of json.matchAll(ELEMENTS)) {
    const pieces: unknown[][] = []
    const begin = found.index + found[0].length
    let from = begin
    let to = begin
    do {
      to = endOfPiece(json, from)
      pieces.push(JSON.parse(`[${json.slice(from, to)}]`))
      from = to + 1
      await turn()
    } while (json[to] === ',')
    rest += `${json.slice(done, begin)}${arrays.length}`
    done = to
    arrays.push(pieces)
  }
  return { rest: JSON.parse(rest + json.slice(done)), arrays }
}

const decode = async (ns: Ns, { rest, arrays }: Cut): Promise<ReadonlyArray<NftTable | NftElement>> => {
  const table = tableOf(ns, rest)
  if (table === null) return []
  const objects: Array<NftTable | NftElement> = [table]
  for (const { spec, elem } of setsOf(rest)) {
    for (const piece of arrays[Number(elem[0])] ?? []) {
      for (const entry of piece) objects.push(...elementOf(ns, spec, entry))
      await turn()
    }
  }
  return objects
}

/** What `nft -j list table` printed. The event loop is not held up. Left: it is not JSON. */
export const readListing = async (ns: Ns, json: string): Result<ReadonlyArray<NftTable | NftElement>> => {
  try {
    return E.right(await decode(ns, await cut(json)))
  } catch (error) {
    return E.left(unavailable(`nft: ${error instanceof Error ? error.message : String(error)}`))
  }
}
