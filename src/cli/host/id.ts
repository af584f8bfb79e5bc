// New ids: 64 random hexadecimal digits, as Docker's.

import { randomBytes } from 'node:crypto'

export const randomId = (): string => randomBytes(32).toString('hex')
