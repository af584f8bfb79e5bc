// Which parts of this kernel are modules that lie ready and are not loaded. To ask the kernel for such a part would load it
// (request_module), which a look must not do.
// Source: depmod(8) for modules.dep; /sys/module holds what is loaded or built in.

import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'

/** Names as the kernel has them: with `_` where the file has `-`. */
export const modulesIn = (dep: string): ReadonlySet<string> =>
  new Set(
    [...dep.matchAll(/^(?:[^:\n]*\/)?([^/:\n]+)\.ko(?:\.\w+)?:/gm)].map(([, name = '']) => name.replaceAll('-', '_')),
  )

const onDisk = (): ReadonlySet<string> => {
  try {
    return modulesIn(readFileSync(`/lib/modules/${release()}/modules.dep`, 'utf8'))
  } catch {
    // A kernel without modules, or a container without their files.
    return new Set()
  }
}

/** Says of a module whether it lies ready and is not loaded. */
export const sleepingModules = (): ((module: string) => boolean) => {
  const ready = onDisk()
  return (module) => ready.has(module) && !existsSync(`/sys/module/${module}`)
}
