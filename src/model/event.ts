// Everything that may have happened, with every choice already made: `evolve` holds no policy.

import type { Call, PluginKey } from './plugin/ledger.ts'
import type { Attachment, Endpoint, EndpointId, Network, NetworkId, Peer, Sandbox, SandboxId } from './types.ts'

export type CnmEvent = Readonly<
  | { tag: 'NetworkCreated'; network: Network }
  | { tag: 'NetworkDeleted'; id: NetworkId }
  | { tag: 'SandboxCreated'; sandbox: Sandbox }
  /** Its options, name, ports or key are others now. */
  | { tag: 'SandboxChanged'; sandbox: Sandbox }
  | { tag: 'SandboxDeleted'; id: SandboxId }
  | { tag: 'EndpointCreated'; endpoint: Endpoint }
  | { tag: 'EndpointRenamed'; id: EndpointId; name: string; aliases: ReadonlyArray<string> }
  | { tag: 'EndpointDeleted'; id: EndpointId }
  | { tag: 'Joined'; endpoint: EndpointId; attachment: Attachment }
  | { tag: 'Left'; endpoint: EndpointId }
  /** An endpoint of another host is there, or is another now. */
  | { tag: 'PeerIs'; peer: Peer }
  | { tag: 'PeerGone'; id: EndpointId }
  /** A plugin is to be asked for something, or to delete it; or it said that what it was asked for is there. */
  | { tag: 'CallNoted'; call: Call }
  /** A plugin said that what was at this key is deleted. */
  | { tag: 'CallClosed'; key: PluginKey }
  /** So many numbers of calls have been given out: of a ledger that is loaded. */
  | { tag: 'CallsCounted'; last: number }
>
