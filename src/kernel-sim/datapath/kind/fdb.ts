// What a bridge or a VXLAN device has learned since the plane was opened, over what it knew then (LinkEntry.fdb).

import type { LinkEntry } from '../../state.ts'

/** By the keys of LinkEntry.fdb; null: forgotten. */
export type FdbMemory = { readonly was: LinkEntry['fdb']; readonly now: Map<string, unknown> }
