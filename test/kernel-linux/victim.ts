// A process that builds two networks in the lab named by its argument, listens in them, says so, and waits to be killed.

import { diff } from '../../src/kernel/diff.ts'
import { EMPTY_STATE, stateOf } from '../../src/kernel/state.ts'
import { linuxKernel } from '../../src/kernel-linux/linux.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { port } from '../../src/net/port.ts'
import { labOf, rightOf } from './labs.ts'
import { API, container4, TWO_NETWORKS, WEB } from './topology.ts'

const [, , lab = '', until = ''] = process.argv
const kernel = linuxKernel({ names: labNames(labOf(lab)) })
const built = kernel.apply(diff(EMPTY_STATE, stateOf(TWO_NETWORKS)))()
if (until === 'probing') {
  rightOf(await built)
  const listener = { ns: API, port: port(80) }
  rightOf(await kernel.probe({ proto: 'tcp', ns: WEB, to: container4(1, 3), port: port(80), listener })())
}
console.log('kill me')
setInterval(() => {}, 1000)
