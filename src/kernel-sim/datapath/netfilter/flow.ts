// What conntrack knows of a packet: its conversation, and the packet's part in it.

import type { Connection } from '../../state.ts'

/** `ct state` in nft. */
export type FlowState = 'new' | 'established' | 'related' | 'invalid' | 'untracked'

/**
 * `fresh`: the connection is not in the table yet, so NAT is still to be decided. `connection` null: the packet belongs to none
 * (state `invalid` or `untracked`), and passes untranslated.
 */
export type Flow = Readonly<{ state: FlowState; connection: Connection | null; isReply: boolean; fresh: boolean }>
