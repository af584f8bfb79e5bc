// What every sandbox holds, whatever its networks: its namespace, loopback, and the way out of each family.

import { freshLoopback } from '../kernel/cascade.ts'
import type { KernelObject } from '../kernel/object.ts'
import type { Fragment } from '../kernel/state.ts'
import { asKept, FORWARD4, type SysctlName } from '../kernel/sysctl.ts'
import type { WayOut } from '../model/queries.ts'
import type { Sandbox } from '../model/types.ts'
import { DEFAULT4, DEFAULT6 } from '../net/cidr.ts'
import { HOST, LO } from '../net/name.ts'

const defaultRoute = (sandbox: Sandbox, family: 4 | 6, way: WayOut | null): ReadonlyArray<KernelObject> =>
  way === null || way.exit.by === 'nothing'
    ? []
    : [
        {
          kind: 'route',
          ns: sandbox.ns,
          to: family === 4 ? DEFAULT4 : DEFAULT6,
          via: way.exit.by === 'gateway' ? way.exit.via : null,
          dev: way.endpoint.attachment.ifName,
          metric: 0,
        },
      ]

/** A container is no router between its networks: a fresh namespace may inherit forwarding from the host, so it is set. */
const NO_ROUTER: Readonly<Record<string, string>> = { [FORWARD4]: '0' }

/** Two names of one variable. */
const ALSO_FORWARD4 = 'net.ipv4.conf.all.forwarding'

/** Whoever makes a namespace decides what it is beyond its networks, and what was asked for. Set back with the namespace alone. */
const sysctlsOf = ({ ns, sysctls, external }: Sandbox): ReadonlyArray<KernelObject> => {
  const own = external !== null || Object.hasOwn(sysctls, ALSO_FORWARD4) ? {} : NO_ROUTER
  return Object.entries({ ...own, ...sysctls }).map(([name, value]) => ({
    kind: 'sysctl',
    ns,
    // A cast: `decide` takes no other names.
    name: name as SysctlName,
    value: asKept(value),
    otherwise: asKept(value),
  }))
}

/** Nothing works without loopback, whoever makes the namespace. */
export const sandboxFragment = (sandbox: Sandbox, way4: WayOut | null, way6: WayOut | null): Fragment =>
  sandbox.ns === HOST
    ? []
    : [
        { kind: 'netns', ns: sandbox.ns, at: sandbox.external?.path ?? null },
        { ...freshLoopback(sandbox.ns), name: LO, up: true },
        ...sysctlsOf(sandbox),
        ...defaultRoute(sandbox, 4, way4),
        ...defaultRoute(sandbox, 6, way6),
      ]
