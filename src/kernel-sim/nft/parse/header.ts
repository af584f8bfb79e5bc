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

const named = (expression: Expression, header: PayloadProtocol): Expression => {
  switch (expression.tag) {
    case 'payload':
      return expression.protocol === 'th' ? { ...expression, protocol: header } : expression
    case 'bits':
      return { ...expression, left: named(expression.left, header) }
    case 'concat':
      return { ...expression, parts: expression.parts.map((part) => named(part, header)) }
    case 'map':
      return { ...expression, key: named(expression.key, header) }
    case 'jhash':
      return { ...expression, of: named(expression.of, header) }
    default:
      return expression
  }
}

/** A statement after it has become known which transport header a packet has. */
export const withHeader = (each: Statement, header: PayloadProtocol): Statement => {
  switch (each.tag) {
    case 'match':
      return { ...each, left: named(each.left, header) }
    case 'vmap':
    case 'update':
      return { ...each, key: named(each.key, header) }
    case 'set':
      return { ...each, value: named(each.value, header) }
    default:
      return each
  }
}
