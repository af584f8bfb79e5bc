// The headers that a rule looks at.

import type { Expression, PayloadProtocol, Statement } from '../expression.ts'

/** The protocols of the headers that an expression looks at. */
const headersIn = (expression: Expression): ReadonlyArray<PayloadProtocol> => {
  switch (expression.tag) {
    case 'payload':
      return [expression.protocol]
    case 'bits':
      return headersIn(expression.left)
    case 'concat':
      return expression.parts.flatMap(headersIn)
    case 'map':
      return headersIn(expression.key)
    case 'jhash':
      return headersIn(expression.of)
    default:
      return []
  }
}

/** Of a statement. */
export const headersOf = (each: Statement): ReadonlyArray<PayloadProtocol> => {
  switch (each.tag) {
    case 'match':
      return headersIn(each.left)
    case 'differ':
      return each.of.flatMap(({ field }) => headersIn(field))
    case 'vmap':
      return headersIn(each.key)
    case 'set':
      return [...headersIn(each.of), ...headersIn(each.value)]
    case 'nat': {
      const { address, port } = each.translation
      return [address, port].flatMap((target) => (target?.tag === 'map' ? headersIn(target.of) : []))
    }
    default:
      return []
  }
}
