// What packets are not tried on, for nobody can say what Linux would do with them, or one should not ask it to.
// Each reason is in docs/known-differences.md.

import type { Tried } from '../../../src/kernel-sim/datapath/traffic.ts'
import type { NsEntry, RouteEntry, World } from '../../../src/kernel-sim/state.ts'
import { showCidr } from '../../../src/net/cidr.ts'
import { isIp4 } from '../../../src/net/ip.ts'
import { getIn, valuesOf } from '../../../src/net/pmap.ts'

/** Linux chooses between several hops by a hash with a secret. */
const hasChoice = ({ routes }: NsEntry): boolean => {
  const gateways = new Set<string>()
  return valuesOf(routes).some(({ to, hops, table, metric }: RouteEntry) => {
    if (hops.length > 1) return true
    if (isIp4(to.ip) || hops[0]?.via == null) return false
    const key = `${table} ${showCidr(to)} ${metric}`
    const isSecond = gateways.has(key)
    gateways.add(key)
    return isSecond
  })
}

/** A bridge that speaks STP says so every two seconds, and listens for fifteen before a port forwards. */
const hasSpanningTree = ({ links }: NsEntry): boolean =>
  valuesOf(links).some(({ bridge, up }) => bridge?.stp === true && up)

/** A macvlan hears broadcasts by a work queue, so now the device below answers for a host first, and now it does. */
const hasTwoEars = ({ ns, links }: NsEntry): boolean =>
  valuesOf(links).some(
    ({ spec, up, below }) => spec.type === 'macvlan' && up && below?.ns === ns && getIn(links, below.name)?.up === true,
  )

export const isPredictable = ({ namespaces }: World): boolean =>
  valuesOf(namespaces).every((entry) => !hasChoice(entry) && !hasSpanningTree(entry) && !hasTwoEars(entry))

/** Whether Linux believes the answer to a probe depends on how fast it came (tcp_rack_advance). */
export const isProbed = ({ steps }: Tried): boolean => steps.some(({ event }) => event.tag === 'probed')

/** Steps of a try; the longest way that is none of a loop is far below. */
const MANY = 4000

/** Frames that go round in a ring of bridges, which Linux would go on with until the ring is taken apart. */
export const isStorm = ({ steps }: Tried): boolean => steps.length > MANY
