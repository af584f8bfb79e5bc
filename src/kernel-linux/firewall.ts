// How the firewall is looked at and changed. There are two ways: libnftables in process (nft/in-process.ts) and the tool nft(8)
// (nft/tool.ts), which witness each other.

import type { NftElement, NftTable } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { Ns } from '../net/name.ts'
import type { Complaint } from './errno.ts'
import type { Result } from './transport.ts'

/** `at`: which of the given operations. */
export type RefusedOp = Readonly<{ at: number; complaint: Complaint }>

export type Firewall = Readonly<{
  /** Our table and its elements; none if there is no such table, or no such namespace. */
  look: (ns: Ns) => Result<ReadonlyArray<NftTable | NftElement>>
  /**
   * In order, in as few transactions as possible; a table that is replaced, with its elements, is one. Right: the refused ones,
   * in order; what is refused does not stop the others, but for elements of a table that could not be made.
   */
  run: (ns: Ns, ops: ReadonlyArray<KernelOp>) => Result<ReadonlyArray<RefusedOp>>
  /** Lets go of what is held open for a namespace, which is about to be deleted. */
  vacate: (ns: Ns) => Promise<void>
  /** Lets go of all; it can be used again afterwards. */
  close: () => Promise<void>
}>
