// What the engine tells its callers of things below that cannot be asked: one class of error, in the words of what failed.

import type { KernelError } from '../kernel/kernel.ts'
import type { CnmError } from '../model/error.ts'
import { explainStore, type StoreError } from '../store/error.ts'

export const unavailable = (what: string, hint: string | null = null): CnmError => ({ tag: 'Unavailable', what, hint })
export const kernelProblem = ({ what, hint }: KernelError): CnmError => unavailable(what, hint)
export const storeProblem = (error: StoreError): CnmError => unavailable(explainStore(error))
