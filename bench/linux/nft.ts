// libnftables in process, with nothing around it: what the floor changes the firewall with.

import { loadLibc } from '../../src/kernel-linux/netlink/libc.ts'
import { loadNftables } from '../../src/kernel-linux/nft/libnftables.ts'
import { enter } from '../../src/kernel-linux/place.ts'
import { type Later, right } from './tidy.ts'

export type Nft = Readonly<{
  /** Runs commands as nft(8) reads them, in one transaction, on this thread. */
  run: (commands: string) => Promise<void>
  /** What a command lists, as JSON. */
  list: (command: string) => Promise<string>
}>

/** In the namespace of a path. */
export const nftIn = (later: Later, path: string): Nft => {
  const context = right(right(enter(right(loadLibc()), path, right(loadNftables()).open)))
  later(() => context.free())
  return {
    run: async (commands) => {
      right(await context.run(commands, 'here'))
    },
    list: async (command) => right(await context.list(command)),
  }
}
