// What an operation on a sysctl writes, and where.

import type { KernelOp } from '../../kernel/op.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'

export type Assignment = Readonly<{ name: SysctlName; value: string }>

/** Null: it is not about a sysctl. */
export const assignmentOf = ({ verb, object }: KernelOp): Assignment | null =>
  object.kind === 'sysctl' ? { name: object.name, value: verb === 'delete' ? object.otherwise : object.value } : null

const OTHER: Readonly<Record<string, string>> = { '.': '/', '/': '.' }

/** Its file. The device's name has its own dots there (sysctl(8)). */
export const fileOf = (name: SysctlName): string => `/proc/sys/${name.replaceAll(/[./]/g, (c) => OTHER[c] ?? c)}`
