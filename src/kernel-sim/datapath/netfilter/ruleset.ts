// Which ruleset a namespace has, if any.

import type { Space } from '../plane.ts'
import type { Rules } from './rules.ts'
import { SKELETON } from './skeleton.ts'

/** Null: nobody has registered a hook, so nothing is tracked either. */
export const rulesOf = ({ entry }: Space): Rules | null => (entry.firewall === null ? null : SKELETON)
