// Worlds for tests: operations applied to the simulated kernel, and probes in one line.

import type { Probe } from '../../src/kernel/kernel.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { applyOp } from '../../src/kernel-sim/control.ts'
import { type ProbeResult, runProbe } from '../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { EMPTY_WORLD, type NsEntry, type World } from '../../src/kernel-sim/state.ts'
import { ip } from '../../src/net/ip.ts'
import { ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import type { Ending, Fact } from './facts.ts'

/** The world after operations that must all be accepted. */
export const apply = (world: World, ops: ReadonlyArray<KernelOp>): World =>
  ops.reduce((now, op) => {
    const result = applyOp(now, op)
    if (E.isLeft(result))
      throw new Error(`${result.left}: ${JSON.stringify(op, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`)
    return result.right
  }, world)

export const worldOf = (ops: ReadonlyArray<KernelOp>): World => apply(EMPTY_WORLD, ops)

export const spaceIn = (world: World, name: string): NsEntry => {
  const space = getIn(world.namespaces, name)
  if (space === undefined) throw new Error(`no namespace ${name}`)
  return space
}

/** `to` is an address, or an address and a port; `listener` is empty or `namespace:port`. */
export const probeOf = (from: string, proto: Fact[1], to: string, listener = ''): Probe => {
  const [address = '', at = ''] = to.split(' ')
  if (proto === 'icmp') return { proto, ns: ns(from), to: ip(address) }
  const [where = '', on = ''] = listener.split(':')
  return {
    proto,
    ns: ns(from),
    to: ip(address),
    port: port(Number(at)),
    listener: listener === '' ? null : { ns: ns(where), port: port(Number(on)) },
  }
}

export const attempt = (world: World, from: string, proto: Fact[1], to: string, listener = ''): ProbeResult =>
  runProbe(PARTS, world, probeOf(from, proto, to, listener))

export const endingOf = ({ verdict }: ProbeResult): Ending => (verdict.tag === 'arrived' ? 'arrived' : verdict.how)
/** `where: why` of a probe that died. */
export const reasonOf = ({ verdict }: ProbeResult): string =>
  verdict.tag === 'arrived' ? 'arrived' : `${verdict.where}: ${verdict.why}`
