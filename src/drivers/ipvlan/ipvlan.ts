// The ipvlan driver: each endpoint is a device on the parent with the parent's MAC, told from the others by its addresses. Mode and flag
// are the parent's, so it carries one network.

import type { Driver, EndpointView, NetworkView } from '../driver.ts'
import { endpointFragment, onParent, parentFragment, parentPlace } from '../parent.ts'
import { ipvlanOptions, SPECS } from './options.ts'

const DUMMY = 'di'

const rules = onParent('ipvlan', SPECS)

const conflict: Driver['conflict'] = ({ network, config }, other) => {
  const parent = rules.below(config)
  return parent === null || parent !== rules.below(other.config)
    ? null
    : { tag: 'ParentTaken', network, parent, by: other.network, why: 'one network' }
}

/** In the modes of layer 3 all goes out by the device: nobody is asked for a MAC, a gateway's neither. */
const exit: Driver['exit'] = (config, pool) =>
  ipvlanOptions(config).mode === 'l2' ? rules.exit(config, pool) : { by: 'device' }

export const ipvlan: Driver = {
  ...rules,
  about:
    'Each container is a device on a device of the host, with its MAC address and addresses of its own: for wires that take one MAC from a ' +
    'port. The host itself does not reach it by that device, and ports are not published.',
  ownMac: () => false,
  conflict,
  exit,
  network: ({ network }: NetworkView) => parentFragment(DUMMY, network),
  endpoint: (view: EndpointView) => {
    const { mode, flag } = ipvlanOptions(view.config)
    return endpointFragment(view, { type: 'ipvlan', below: parentPlace(DUMMY, view.network), mode, flag })
  },
}
