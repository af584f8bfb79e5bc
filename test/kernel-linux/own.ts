// A process whose own namespace is the host: builds two networks around it, looks, probes, and prints what was not as it
// should be. Started inside a namespace of the lab named by its argument.

import { diff } from '../../src/kernel/diff.ts'
import { type KernelObject, keyOf, sameObject } from '../../src/kernel/object.ts'
import { objectsOf, stateOf } from '../../src/kernel/state.ts'
import { linuxKernel } from '../../src/kernel-linux/linux.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { labOf, leftOf, rightOf } from './labs.ts'
import { container4, DB, SCOPE, TWO_NETWORKS, WEB } from './topology.ts'

const [, , lab = ''] = process.argv
const inLab = labNames(labOf(lab))
const kernel = linuxKernel({ names: (ns) => (ns === HOST ? null : inLab(ns)) })

const fromInside: KernelObject = {
  kind: 'link',
  ns: DB,
  name: ifName('inner'),
  spec: { type: 'veth', peer: { ns: HOST, name: ifName('outer') } },
  mac: mac(0x02_42_00_00_00_77),
  mtu: 1500,
  up: false,
  alias: null,
}

const found: string[] = []
const check = (what: string, holds: boolean): void => {
  if (!holds) found.push(what)
}

const there = rightOf(await kernel.observe(SCOPE)())
rightOf(await kernel.apply(diff(there, stateOf(TWO_NETWORKS)))())
rightOf(await kernel.apply([{ verb: 'create', object: fromInside }])())
const state = rightOf(await kernel.observe(SCOPE)())
for (const object of [...TWO_NETWORKS, fromInside]) {
  const held = getIn(state, keyOf(object))
  check(keyOf(object), held !== undefined && sameObject(held, object))
}
check('nothing else', objectsOf(state).length === TWO_NETWORKS.length + 2)

const own: KernelObject = { kind: 'netns', ns: HOST, at: null }
const refusals = leftOf(
  await kernel.apply([
    { verb: 'create', object: own },
    { verb: 'delete', object: own },
  ])(),
)
check('its own namespace stays', !('tag' in refusals) && refusals.map((one) => one.errno).join() === 'EEXIST,EBUSY')

const listener = { ns: WEB, port: port(80) }
const tcp = await kernel.probe({ proto: 'tcp', ns: HOST, to: container4(1, 2), port: port(80), listener })()
check('tcp from the host', rightOf(tcp).tag === 'arrived')
check(
  'ping from the host',
  rightOf(await kernel.probe({ proto: 'icmp', ns: HOST, to: container4(1, 2) })()).tag === 'arrived',
)
await kernel.close()
console.log(JSON.stringify(found))
