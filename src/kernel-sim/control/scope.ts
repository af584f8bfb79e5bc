// Scopes of IPv4 addresses and routes as numbers: a larger one is narrower. Source: linux/rtnetlink.h (RT_SCOPE_*).

import type { Scope } from '../../kernel/rtnl/request.ts'

export const SCOPES = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const

export const scopeNumber = (scope: Scope): number => (typeof scope === 'number' ? scope : SCOPES[scope])
