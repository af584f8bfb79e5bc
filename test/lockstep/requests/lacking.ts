// What this machine's kernel is built without: the simulation is then that of such a kernel. Found out by asking it.

import type { NewKind } from '../../../src/kernel/rtnl/kind.ts'
import type { NewLink } from '../../../src/kernel/rtnl/request.ts'
import { type Lacking, type World, worldWithout } from '../../../src/kernel-sim/state.ts'
import { ifName, ns } from '../../../src/net/name.ts'
import { openRooms } from './rooms.ts'

const HERE = ns('trial')
const BELOW = ifName('below')
const NEW = ifName('new')
const TRIALS: Readonly<Record<Lacking, NewKind>> = {
  dummy: { kind: 'dummy' },
  vlan: { kind: 'vlan', id: 5 },
  vxlan: { kind: 'vxlan', vni: 5 },
  macvlan: { kind: 'macvlan' },
  ipvlan: { kind: 'ipvlan' },
  'vlan-filtering': { kind: 'bridge', vlanFiltering: true },
}

const made = (name: NewLink['name'], kind: NewKind, dev?: NewLink['name']): NewLink => ({
  on: 'link',
  do: 'add',
  name,
  kind,
  ...(dev === undefined ? {} : { dev }),
})

/** A simulated machine with nothing on it, whose kernel has what this machine's has. */
export const worldAsHere = async (): Promise<World> => {
  const rooms = openRooms()
  try {
    await rooms.ask({ ns: HERE, ask: { on: 'netns', do: 'add' } })
    await rooms.ask({ ns: HERE, ask: made(BELOW, { kind: 'veth', peer: { name: ifName('end') } }) })
    const lacks: Lacking[] = []
    for (const [what, kind] of Object.entries(TRIALS)) {
      const isOn = what === 'vlan' || what === 'macvlan' || what === 'ipvlan'
      const errno = await rooms.ask({ ns: HERE, ask: made(NEW, kind, isOn ? BELOW : undefined) })
      // Cast: the keys of the table.
      if (errno === 'EOPNOTSUPP') lacks.push(what as Lacking)
      await rooms.ask({ ns: HERE, ask: { on: 'link', do: 'delete', dev: NEW } })
    }
    return worldWithout(...lacks)
  } finally {
    await rooms.close()
  }
}
