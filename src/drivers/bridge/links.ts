// Links, where a bridge keeps its containers apart (enable_icc off): its ports do not speak to each other (they are isolated), so a
// linked pair goes by the host, which lets pass what is open by a link. libnetwork's drivers/bridge/link.go has no way of its own
// for them: there everything goes by the bridge, through the host's iptables where br_netfilter is on.

import { linkedElement } from '../../kernel/firewall/elements.ts'
import type { KernelObject } from '../../kernel/object.ts'
import { deviceSysctl } from '../../kernel/sysctl.ts'
import type { Endpoint } from '../../model/types.ts'
import { cidrFamily } from '../../net/cidr.ts'
import { type Family, type Ip, widthOf } from '../../net/ip.ts'
import { HOST, type IfName } from '../../net/name.ts'
import type { EndpointView } from '../driver.ts'
import { type BridgeOptions, bridgeOptions, modeOf } from './options.ts'

type Objects = ReadonlyArray<KernelObject>

const addressOf = ({ addresses }: Endpoint, family: Family): Ip | undefined =>
  addresses.find(({ cidr }) => cidrFamily(cidr) === family)?.cidr.ip

/** The host's address on the bridge, if it is to have one there. */
const hostOf = ({ network }: EndpointView, options: BridgeOptions, family: Family): Ip | null => {
  if ((family === 4 && options.inhibit4) || modeOf(options, family) === 'isolated') return null
  return network.pools.find(({ subnet }) => cidrFamily(subnet) === family)?.gateway ?? null
}

const linksIn = (view: EndpointView, bridge: IfName, family: Family): Objects => {
  const { endpoint, sandbox, linked } = view
  const via = hostOf(view, bridgeOptions(view.config), family)
  const own = addressOf(endpoint, family)
  if (via === null || own === undefined) return []
  return linked.flatMap(({ peer, opens }) => {
    const ip = addressOf(peer, family)
    if (ip === undefined) return []
    const to = { ip, bits: widthOf(family) }
    const route: KernelObject = { kind: 'route', ns: sandbox.ns, to, via, dev: endpoint.attachment.ifName, metric: 0 }
    const open = opens.map(({ port, transport }) => linkedElement(HOST, bridge, own, { ip, port }, transport))
    return [route, ...open]
  })
}

const ACCEPT_REDIRECTS = 'net.ipv6.conf.IFNAME.accept_redirects'

/**
 * The host would tell a container that the other one is beside it, and IPv6 believes that (rt6_do_redirect). IPv4 asks for the
 * other's MAC first, in vain (__ip_do_redirect).
 */
const deafToRedirects = ({ endpoint, sandbox }: EndpointView): Objects =>
  addressOf(endpoint, 6) === undefined || Object.hasOwn(endpoint.sysctls, ACCEPT_REDIRECTS)
    ? []
    : [
        {
          kind: 'sysctl',
          ns: sandbox.ns,
          name: deviceSysctl(6, endpoint.attachment.ifName, 'accept_redirects'),
          value: '0',
          otherwise: '1',
        },
      ]

export const linksOf = (view: EndpointView, bridge: IfName): Objects =>
  view.linked.length === 0 || bridgeOptions(view.config).icc
    ? []
    : [...linksIn(view, bridge, 4), ...linksIn(view, bridge, 6), ...deafToRedirects(view)]
