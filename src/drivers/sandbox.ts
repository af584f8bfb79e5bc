// What every sandbox holds, whatever its networks: its namespace, loopback, and the way out of each family.

import { freshLoopback } from '../kernel/cascade.ts'
import type { KernelObject } from '../kernel/object.ts'
import type { Fragment } from '../kernel/state.ts'
import { FORWARD4 } from '../kernel/sysctl.ts'
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
const noRouter = ({ ns }: Sandbox): KernelObject => ({ kind: 'sysctl', ns, name: FORWARD4, value: '0', otherwise: '0' })

/** Whoever makes a namespace decides what it is beyond its networks; all the same nothing works without loopback. */
export const sandboxFragment = (sandbox: Sandbox, way4: WayOut | null, way6: WayOut | null): Fragment =>
  sandbox.ns === HOST
    ? []
    : [
        { kind: 'netns', ns: sandbox.ns, at: sandbox.external?.path ?? null },
        { ...freshLoopback(sandbox.ns), name: LO, up: true },
        ...(sandbox.external === null ? [noRouter(sandbox)] : []),
        ...defaultRoute(sandbox, 4, way4),
        ...defaultRoute(sandbox, 6, way6),
      ]
