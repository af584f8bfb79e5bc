// The sockets of a namespace.

/** To be filled by the part. */
export type SocketMemory = { readonly open: Map<number, unknown> }
