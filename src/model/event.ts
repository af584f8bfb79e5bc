// Everything that may have happened, with every choice already made: `evolve` holds no policy.

import type { Attachment, Endpoint, EndpointId, Network, NetworkId, Sandbox, SandboxId } from './types.ts'

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
>
