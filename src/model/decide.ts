// May this happen? Every command is answered with the events it causes, or with the reason why not. Pure and total; all
// policy of the model is here and in the files beside.

import { E, type Either } from '../prelude.ts'
import type { Command } from './command.ts'
import { createEndpoint, deleteEndpoint, renameEndpoint } from './decide/endpoint.ts'
import { withGateway } from './decide/gateway.ts'
import { join, leave } from './decide/join.ts'
import { createNetwork, deleteNetwork } from './decide/network.ts'
import { pluginAnswered, pluginFailed } from './decide/plugin.ts'
import { kernelRefused } from './decide/refusal.ts'
import { createSandbox, deleteSandbox, refreshSandbox, renameSandbox, setKey } from './decide/sandbox.ts'
import { sharedNews } from './decide/shared.ts'
import type { CnmError } from './error.ts'
import type { CnmEvent } from './event.ts'
import { withCalls } from './plugin/requests.ts'
import type { Rules } from './rules.ts'
import type { Model } from './types.ts'

const decideAlone = (rules: Rules, model: Model, command: Command): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  switch (command.tag) {
    case 'CreateNetwork':
      return createNetwork(rules, model, command)
    case 'DeleteNetwork':
      return deleteNetwork(model, command)
    case 'CreateSandbox':
      return createSandbox(model, command)
    case 'RefreshSandbox':
      return refreshSandbox(model, command)
    case 'RenameSandbox':
      return renameSandbox(model, command)
    case 'SetKey':
      return setKey(model, command)
    case 'DeleteSandbox':
      return deleteSandbox(model, command)
    case 'CreateEndpoint':
      return createEndpoint(rules, model, command)
    case 'RenameEndpoint':
      return renameEndpoint(model, command)
    case 'DeleteEndpoint':
      return deleteEndpoint(model, command)
    case 'Join':
      return join(rules, model, command)
    case 'Leave':
      return leave(model, command)
    case 'KernelRefused':
      return E.right(kernelRefused(model, command))
    case 'PluginAnswered':
      return E.right(pluginAnswered(model, command))
    case 'PluginFailed':
      return E.right(pluginFailed(model, command))
    case 'SharedNews':
      return E.right(sharedNews(model, command))
  }
}

/** What happens, who is on the gateway network then, and what is owed to plugins: one decision, so that no crash can come between. */
export const decide = (rules: Rules, model: Model, command: Command): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const decided = decideAlone(rules, model, command)
  if (E.isLeft(decided)) return decided
  const settled = withGateway(rules, model, command, decided.right)
  return E.isLeft(settled) ? settled : E.right(withCalls(model, settled.right))
}
