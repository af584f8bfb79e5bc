// Whether this process may change the machine's networks: its effective capabilities (capabilities(7), proc(5)), found out
// before anything is begun.

import { readFile } from 'node:fs/promises'
import { EXIT } from '../exit.ts'
import type { Problem } from '../problem.ts'

const CAP_NET_ADMIN = 12n
const CAP_SYS_ADMIN = 21n
const NEEDED = (1n << CAP_NET_ADMIN) | (1n << CAP_SYS_ADMIN)

const lacks = (line: string): Problem => ({ exit: EXIT.machine, lines: [`cnm: ${line}`] })

/** Null: nothing is in the way. */
export const rightsProblem = async (): Promise<Problem | null> => {
  if (process.platform !== 'linux') return lacks(`this is ${process.platform}, not Linux; try it with --kernel sim`)
  const status = await readFile('/proc/self/status', 'utf8')
  const held = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return (held & NEEDED) === NEEDED
    ? null
    : lacks(
        'this user may not change the networks of this machine; run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN, or try it with --kernel sim',
      )
}
