// What is open for a relay, and how it is opened.

import type { Either } from '../prelude.ts'

export type Open = Readonly<{
  /** Ends it, with all that goes through it. */
  close: () => void
  /** To be called now and then: the host may have other addresses by now. */
  renew: () => Promise<void>
}>

/** Left: the errno of the system. */
export type Opening = Promise<Either<string, Open>>

export const codeOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message
