// The stories of packets in facts/, told to the kernel that runs. They take minutes, for after each packet in vain one waits until nobody
// looks for a neighbour any more; so they are told in the virtual machine only, and only if asked for:
// `npm run vm -- --limit 2400 test/vm/packets.test.ts`.

import { afterAll } from 'vitest'
import { missingKind } from '../kernel-linux/netlink/lab.ts'
import { gate } from '../lib/need.ts'
import { isEmulated } from '../lib/pace.ts'
import { NEEDS, THEMES_OF_PACKETS, tellsAgain } from './again.ts'
import { linuxOf } from './facts/linux.ts'

const ELSEWHERE = 'the virtual machine (npm run vm -- test/vm/packets.test.ts)'

const linux = linuxOf('packets')
afterAll(() => linux.end())
for (const theme of THEMES_OF_PACKETS) {
  const missing = isEmulated ? await missingKind(...NEEDS[theme]) : ELSEWHERE
  gate(() => missing, false)(`Linux tells of ${theme}`, () => tellsAgain(linux, theme))
}
