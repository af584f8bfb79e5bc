// What conntrack knows of a packet: its conversation, and the packet's part in it.

import type { Connection } from './connection.ts'

/** `ct state` in nft. */
export type FlowState = 'new' | 'established' | 'related' | 'invalid' | 'untracked'

/** `connection` null: the packet belongs to none (state `invalid` or `untracked`), and passes untranslated. */
export type Flow = Readonly<{ state: FlowState; connection: Connection | null; isReply: boolean }>

export const INVALID: Flow = { state: 'invalid', connection: null, isReply: false }
export const UNTRACKED: Flow = { state: 'untracked', connection: null, isReply: false }
