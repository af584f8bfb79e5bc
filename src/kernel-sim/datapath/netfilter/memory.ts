// What netfilter has noted since the plane was opened: conversations, counters and elements of the ruleset.

/** To be filled by the part. */
export type FilterMemory = { readonly noted: Map<string, unknown> }
