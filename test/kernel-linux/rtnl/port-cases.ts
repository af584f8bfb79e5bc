// Cases of ports and VLANs of a bridge, and of forwarding entries.

import type { Ask, FdbRequest, SetLink, VlanRequest } from '../../../src/kernel/rtnl/request.ts'
import { ip } from '../../../src/net/ip.ts'
import { mac as macOf } from '../../../src/net/mac.ts'
import { LO } from '../../../src/net/name.ts'
import { br0, type Group, gone, on, port, set, v0, v1, vx0 } from './case.ts'
import { mac } from './world.ts'

export const ports: Group = {
  what: 'ports',
  cases: [
    on(port(v0, { state: 0 })),
    on(port(v0, { state: 3 })),
    on(port(v0, { state: 5 }), 'EINVAL'),
    on(port(v0, { priority: 5, cost: 100 })),
    on(port(v0, { priority: 64 }), 'ERANGE'),
    on(port(v0, { cost: 0 })),
    on(port(v0, { cost: 65536 }), 'ERANGE'),
    on(port(v0, { hairpin: true, guard: true, rootBlock: true, fastLeave: true })),
    on(port(v0, { learning: false, flood: false, mcastFlood: false, bcastFlood: false })),
    on(port(v0, { neighSuppress: true, isolated: true })),
    on(port(v0, { learning: true, locked: true })),
    on(port(v0, { isolated: false }), null, port(v0, { isolated: true })),
    on(port(v0, {})),
    on(port(v1, { isolated: true }), 'EOPNOTSUPP'),
    on(port(br0, { isolated: true }), 'EOPNOTSUPP'),
    on(port(gone, { isolated: true }), 'ENODEV'),
  ],
}

const filtering = (vlanFiltering: boolean): Ask => set(br0, { kind: { kind: 'bridge', vlanFiltering } })
const vlan = (verb: VlanRequest['do'], name: SetLink['dev'], id: number, rest: Partial<VlanRequest> = {}): Ask => ({
  on: 'vlan',
  do: verb,
  dev: name,
  id,
  ...rest,
})

/** Of a kernel with VLAN filtering; one without says EOPNOTSUPP to all of it. */
export const vlans: Group = {
  what: 'VLANs of a bridge',
  cases: [
    on(filtering(true)),
    on(filtering(false), null, filtering(true)),
    on(set(br0, { kind: { kind: 'bridge', vlanProtocol: '802.1ad', vlanDefaultPvid: 7 } })),
    on(set(br0, { kind: { kind: 'bridge', vlanDefaultPvid: 4095 } }), 'EINVAL'),
    on(set(br0, { kind: { kind: 'bridge', vlanDefaultPvid: 7 } }), 'EPERM', filtering(true)),
    on(set(br0, { kind: { kind: 'bridge', vlanDefaultPvid: 0 } }), null, filtering(true)),
    on(vlan('add', v0, 10)),
    on(vlan('add', v0, 10, { pvid: true, untagged: true }), null, filtering(true)),
    on(vlan('add', v0, 10, { until: 20, untagged: true })),
    on(vlan('add', v0, 10, { until: 20, pvid: true }), 'EINVAL'),
    on(vlan('add', v0, 20, { until: 10 }), 'EINVAL'),
    on(vlan('add', v0, 0), 'EINVAL'),
    on(vlan('add', v0, 4095), 'EINVAL'),
    on(vlan('add', v0, 4096), 'EINVAL'),
    on(vlan('add', br0, 10, { self: true })),
    on(vlan('add', br0, 10), 'EOPNOTSUPP'),
    on(vlan('add', v0, 10, { self: true }), 'EOPNOTSUPP'),
    on(vlan('add', v1, 10), 'EOPNOTSUPP'),
    on(vlan('add', gone, 10), 'ENODEV'),
    on(vlan('add', gone, 5000), 'ENODEV'),
    on(vlan('delete', v0, 1)),
    on(vlan('delete', v0, 10), 'ENOENT'),
    on(vlan('delete', v0, 10, { until: 12 }), null, vlan('add', v0, 10, { until: 12 })),
    on(vlan('delete', br0, 1, { self: true })),
    on(vlan('add', v0, 1)),
  ],
}

const fdb = (rest: Partial<FdbRequest> = {}): FdbRequest => ({
  on: 'fdb',
  do: 'add',
  dev: v0,
  mac: mac(0x88),
  of: 'master',
  ...rest,
})
const inVxlan = (rest: Partial<FdbRequest> = {}): FdbRequest =>
  fdb({ dev: vx0, of: 'self', dst: ip('10.0.1.9'), ...rest })
const ZERO = macOf(0)

export const forwarding: Group = {
  what: 'forwarding entries',
  cases: [
    on(fdb()),
    on(fdb({ state: 'local' })),
    on(fdb({ state: 'static' })),
    on(fdb({ state: 'dynamic' })),
    on(fdb({ state: 'static', sticky: true })),
    on(fdb({ state: 'local', sticky: true }), 'EINVAL'),
    on(fdb(), 'EEXIST', fdb()),
    on(fdb({ do: 'replace', state: 'static' }), null, fdb()),
    on(fdb({ do: 'replace', state: 'static' })),
    on(fdb({ do: 'append', state: 'static' })),
    on(fdb({ do: 'append' }), null, fdb()),
    on(fdb({ do: 'delete' }), null, fdb()),
    on(fdb({ do: 'delete' }), 'ENOENT'),
    on(fdb({ mac: ZERO }), 'EINVAL'),
    on(fdb({ mac: macOf(0x010000000001) })),
    on(fdb({ mac: mac(0x20) }), 'EEXIST'),
    on(fdb({ dev: v1 }), 'EOPNOTSUPP'),
    on(fdb({ dev: gone }), 'ENODEV'),
    on(fdb({ dev: br0, of: 'self' })),
    on(fdb({ dev: br0, of: 'self', do: 'delete' }), null, fdb({ dev: br0, of: 'self' })),
    on(fdb({ vlan: 5000 }), 'EINVAL'),
    on(fdb({ vlan: 0 }), 'EINVAL'),
    on(fdb({ dev: v1, of: 'self' })),
    on(fdb({ dev: v1, of: 'self', state: 'static' }), 'EINVAL'),
    on(fdb({ dev: LO, of: 'self' }), 'EINVAL'),
    on(inVxlan()),
    on(inVxlan({ state: 'static' })),
    on(inVxlan(), 'EEXIST', inVxlan()),
    on(inVxlan({ do: 'append' }), null, inVxlan()),
    on(inVxlan({ mac: ZERO })),
    on(inVxlan({ mac: ZERO, do: 'append' })),
    on(inVxlan({ mac: ZERO, do: 'append', dst: ip('10.0.1.10') }), null, inVxlan({ mac: ZERO })),
    on(inVxlan({ mac: ZERO, do: 'append' }), null, inVxlan({ mac: ZERO })),
    on(inVxlan({ do: 'replace', dst: ip('10.0.1.10') }), null, inVxlan()),
    on(inVxlan({ do: 'delete' }), null, inVxlan()),
    on(inVxlan({ do: 'delete' }), 'ENOENT'),
    on(inVxlan({ do: 'delete', dst: ip('10.0.1.10') }), null, inVxlan()),
    on(inVxlan({ vni: 9, port: 4000, via: v1 })),
    on(inVxlan({ vni: 2 ** 24 }), 'EINVAL'),
    on(inVxlan({ via: gone }), 'ENODEV'),
    on(inVxlan({ dst: ip('fd00:1::9') }), 'EAFNOSUPPORT'),
    on(fdb({ dev: vx0, of: 'self' }), 'EINVAL'),
    on(inVxlan({ of: 'master' }), 'EOPNOTSUPP'),
  ],
}
