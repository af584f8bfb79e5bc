// Pieces of packets that wait for the rest.

/** To be filled by the part. */
export type FragmentMemory = { readonly queues: Map<string, unknown> }
