// One thing the kernel can do at once: it can be printed, logged, generated, shrunk and replayed on either kernel.

import type { KernelObject } from './object.ts'

/**
 * `create` of one end of a veth makes both; `delete` of either end takes both. `change` is only between objects that
 * `changeable` relates; it carries what was there, so that only the difference is sent.
 */
export type KernelOp = Readonly<
  | { verb: 'create'; object: KernelObject }
  | { verb: 'change'; from: KernelObject; object: KernelObject }
  | { verb: 'delete'; object: KernelObject }
>
export type Verb = KernelOp['verb']
