// Where packets of a namespace go.

/** To be filled by the part. */
export type RoutingMemory = { readonly found: Map<string, unknown> }
