// Neighbours of a namespace while packets move.

/** To be filled by the part. */
export type NeighbourMemory = { readonly known: Map<string, unknown> }
