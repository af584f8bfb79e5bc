// As found.ts, of policy rules: which two are one, and which one a deletion means.

import type { Ask, RuleRequest } from '../../../src/kernel/rtnl/request.ts'
import { cidr } from '../../../src/net/cidr.ts'
import type { FoundCase } from './found.ts'

const rule = (more: Partial<RuleRequest>): Ask => ({ on: 'rule', do: 'add', family: 4, ...more })
const NET = cidr('10.0.0.0/24')
const PROHIBIT = { action: { is: 'prohibit' } } as const
const MARKED = rule({ priority: 9, mark: { value: 3 }, ...PROHIBIT })
const MASKED = rule({ priority: 9, mark: { value: 3, mask: 7 }, ...PROHIBIT })

export const FOUND_RULES: ReadonlyArray<FoundCase> = [
  {
    says: 'a rule that names no prefix is there already if one with any prefix is',
    asks: [rule({ priority: 9, from: NET, action: { lookup: 77 } }), rule({ priority: 9, action: { lookup: 77 } })],
    errno: 'EEXIST',
  },
  {
    says: 'a negation is the same rule',
    asks: [
      rule({ priority: 9, from: NET, action: { lookup: 77 } }),
      rule({ priority: 9, from: NET, not: true, action: { lookup: 77 } }),
    ],
    errno: 'EEXIST',
  },
  {
    says: 'a rule with a prefix is another one than a rule without',
    asks: [rule({ priority: 9, action: { lookup: 77 } }), rule({ priority: 9, from: NET, action: { lookup: 77 } })],
    errno: null,
  },
  {
    says: 'a deletion does not look at a mark of 0, nor whether it is of a negation',
    asks: [MARKED, rule({ do: 'delete', not: true, mark: { value: 0 }, ...PROHIBIT })],
    errno: null,
  },
  {
    says: 'it looks at a mask with it',
    asks: [MARKED, rule({ do: 'delete', mark: { value: 0, mask: 7 }, ...PROHIBIT })],
    errno: 'ENOENT',
  },
  {
    says: 'and not at a mask of 0 with another mark',
    asks: [MASKED, rule({ do: 'delete', mark: { value: 3, mask: 0 }, ...PROHIBIT })],
    errno: null,
  },
  {
    says: 'a mark without a mask has that of all bits',
    asks: [MASKED, rule({ do: 'delete', mark: { value: 3 }, ...PROHIBIT })],
    errno: 'ENOENT',
  },
  {
    says: 'a prefix of no bits is not looked at by a deletion',
    asks: [
      rule({ priority: 9, from: NET, ...PROHIBIT }),
      rule({ do: 'delete', from: cidr('0.0.0.0/0'), to: cidr('0.0.0.0/0'), ...PROHIBIT }),
    ],
    errno: null,
  },
]
