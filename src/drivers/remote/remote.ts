// A driver that is a plugin of its name: the plugin makes what its networks are made of, and is told by the engine what that
// is (model/plugin). It takes addresses from our pools, options as they are written, and so far nothing of the host is ours:
// bringing the device that a Join names into the sandbox comes with the plugins' client.

import { REMOTE } from '../../model/plugin/remote.ts'
import type { NetworkScope } from '../../model/types.ts'
import { E } from '../../prelude.ts'
import type { Driver } from '../driver.ts'
import { PLAIN } from '../plain.ts'
import type { Drivers } from '../registry.ts'

export const remoteDriver = (type: string, scope: NetworkScope = 'local'): Driver => ({
  ...PLAIN,
  type,
  about: `What the plugin "${type}" makes.`,
  options: {},
  scope,
  severalSubnets: true,
  configure: () => E.right(REMOTE),
  accepts: (config) => Object.keys(config).length === 1 && config['remote'] === true,
  // Whether its endpoints are a way out is for the plugin's Join to say, and its device is not brought inside yet.
  exit: () => null,
  network: () => [],
  endpoint: () => [],
})

/** These drivers, and one for each plugin. */
export const withPlugins = (drivers: Drivers, plugins: ReadonlyArray<string>): Drivers =>
  new Map([...drivers, ...plugins.map((type) => [type, remoteDriver(type)] as const)])
