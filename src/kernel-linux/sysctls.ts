// How sysctls are looked at and changed: through /proc/sys in process (sysctl/in-process.ts), or with the tool sysctl(8)
// (sysctl/tool.ts).

import type { Sysctl } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { SysctlName } from '../kernel/sysctl.ts'
import type { Ns } from '../net/name.ts'
import type { RefusedOp } from './firewall.ts'
import type { Result } from './transport.ts'

export type Sysctls = Readonly<{
  /** Those that are there, `otherwise` being what is there now: the kernel does not remember what it was before. */
  look: (ns: Ns, asked: ReadonlyArray<SysctlName>) => Result<ReadonlyArray<Sysctl>>
  /** In order. Right: the refused ones; what is refused does not stop the others. */
  run: (ns: Ns, ops: ReadonlyArray<KernelOp>) => Result<ReadonlyArray<RefusedOp>>
}>
