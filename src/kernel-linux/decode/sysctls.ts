// `sysctl -e NAME...`: one `name = value` to a line, in the spelling of the question; unknown names are left out.

import type { Sysctl } from '../../kernel/object.ts'
import type { SysctlName } from '../../kernel/sysctl.ts'
import type { Ns } from '../../net/name.ts'

/** `otherwise` is what is there now: the kernel does not remember what it was before. */
export const decodeSysctls = (ns: Ns, asked: ReadonlyArray<SysctlName>, stdout: string): ReadonlyArray<Sysctl> => {
  const values = new Map<string, string>()
  for (const line of stdout.split('\n')) {
    const at = line.indexOf(' = ')
    if (at > 0)
      values.set(
        line.slice(0, at),
        line
          .slice(at + 3)
          .trim()
          .replaceAll(/\s+/g, ' '),
      )
  }
  return asked.flatMap((name) => {
    const value = values.get(name)
    return value === undefined ? [] : [{ kind: 'sysctl', ns, name, value, otherwise: value }]
  })
}
