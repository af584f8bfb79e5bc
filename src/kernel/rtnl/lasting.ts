// A stack without what passing packets left behind: two kernels that were asked the same tell this part alike, whenever they are
// looked at. Learned forwarding entries age; a group's, a broadcast's and the device's own MAC follow from the address or the device,
// and the kernel keeps them only while it sends there (net/ipv4/arp.c, arp_constructor; net/ipv6/ndisc.c, ndisc_constructor).

import { isGroup } from '../../net/mac.ts'
import type { FdbFacts, NeighbourFacts, Stack } from './stack.ts'

const isLearned = ({ state, flags }: FdbFacts): boolean =>
  (state === '' || state === 'stale') && flags.every((flag) => flag === 'self')
/** States that nobody can ask for: a packet has asked, or is asking again. */
const ASKING: ReadonlySet<string> = new Set(['INCOMPLETE', 'DELAY', 'PROBE'])
const isAsking = ({ state, proxy }: NeighbourFacts): boolean => !proxy && ASKING.has(state)
/** What was refused for want of a MAC is there until the kernel next collects its garbage. */
const isVoid = ({ state, proxy }: NeighbourFacts): boolean => !proxy && state === 'NONE'
/** What was asked for as NOARP has the MAC of another device; on a device without addresses all have zeros. */
const isDerived = ({ links }: Stack, { dev, state, mac, proxy }: NeighbourFacts): boolean =>
  !proxy &&
  state === 'NOARP' &&
  (mac === null || mac === 0 || isGroup(mac) || links.some((link) => link.name === dev && link.mac === mac))

/** What passing packets left behind, and no more: whom the stack has found, is looking for, and what is where. */
export const learned = (stack: Stack): Pick<Stack, 'neighbours' | 'fdb'> => ({
  neighbours: stack.neighbours.filter(
    (neighbour) => !neighbour.proxy && !isDerived(stack, neighbour) && !isVoid(neighbour),
  ),
  fdb: stack.fdb.filter(isLearned),
})

export const lasting = (stack: Stack): Stack => ({
  ...stack,
  neighbours: stack.neighbours.filter(
    (neighbour) => !isDerived(stack, neighbour) && !isVoid(neighbour) && !isAsking(neighbour),
  ),
  fdb: stack.fdb.filter((entry) => !isLearned(entry)),
})
