// One frame of every kind that the wire knows, and what tshark calls its fields and their values.

import { CONTROL4 } from './kinds/control4.ts'
import { CONTROL6 } from './kinds/control6.ts'
import type { Kind } from './kinds/kind.ts'
import { ARP, TRANSPORT } from './kinds/link-transport.ts'
import { FRAGMENTS, NESTED } from './kinds/nested.ts'

export const KINDS: ReadonlyArray<Kind> = [...ARP, ...TRANSPORT, ...CONTROL4, ...CONTROL6, ...NESTED, ...FRAGMENTS]
