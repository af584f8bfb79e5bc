// The macvlan driver: each endpoint is a device with a MAC of its own on the parent, so that it stands on the parent's wire beside the
// host, which it does not reach by it.

import type { Plan } from '../../model/rules.ts'
import type { DriverConfig } from '../../model/types.ts'
import type { Driver, EndpointView, NetworkView } from '../driver.ts'
import { endpointFragment, onParent, parentFragment, parentPlace } from '../parent.ts'
import { macvlanOptions, SPECS } from './options.ts'

const DUMMY = 'dm'

const isAlone = (config: DriverConfig): boolean => macvlanOptions(config).mode === 'passthru'

const rules = onParent('macvlan', SPECS)

/** A network in mode passthru has its parent to itself. */
const conflict: Driver['conflict'] = ({ network, config }: Plan, other) => {
  const parent = rules.below(config)
  if (parent === null || parent !== rules.below(other.config)) return null
  return isAlone(config) || isAlone(other.config)
    ? { tag: 'ParentTaken', network, parent, by: other.network, why: 'passthru' }
    : null
}

export const macvlan: Driver = {
  ...rules,
  about:
    'Each container is a device with a MAC address of its own on a device of the host, so it stands on the same wire as the host. ' +
    'The host itself does not reach it by that device, and ports are not published: others call the container by its own address.',
  ownMac: (config) => !isAlone(config),
  seats: (config) => (isAlone(config) ? 1 : null),
  conflict,
  network: ({ network }: NetworkView) => parentFragment(DUMMY, network),
  endpoint: (view: EndpointView) =>
    endpointFragment(view, {
      type: 'macvlan',
      below: parentPlace(DUMMY, view.network),
      mode: macvlanOptions(view.config).mode,
    }),
}
