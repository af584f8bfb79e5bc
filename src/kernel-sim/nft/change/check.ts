// What nft and the kernel look at in a single rule: that the sets it names are there and of its types, that the chains it jumps
// to may be jumped to, that numbers are in their ranges.
// Sources: nftables src/evaluate.c (expr_evaluate_map, stmt_evaluate_set), net/netfilter/nf_tables_api.c, nft_numgen.c,
// nft_hash.c, nft_dynset.c.

import type { Errno } from '../../../kernel/errno.ts'
import { hasIn } from '../../../net/pmap.ts'
import { type Type, titleOf, typeNamed } from '../datatype.ts'
import { kernelError, meaningError, type NftError, type Place } from '../error.ts'
import type { Expression, SetSource, Statement, Target, Translation } from '../expression.ts'
import { typesOf } from '../field.ts'
import type { RuleBody } from '../parse/rule.ts'
import type { NamedSet, SetSpec, Table } from '../ruleset.ts'
import { ABSENT, chainNamed, setNamed } from './edit.ts'
import { sourcesOf, targetsOf } from './refer.ts'

const sameTypes = (a: ReadonlyArray<Type>, b: ReadonlyArray<Type>): boolean =>
  a.length === b.length && a.every((type, i) => type.name === b[i]?.name)

const noSuch = (at: Place): NftError => meaningError(ABSENT, at)

const wrongKey = (key: Expression, set: NamedSet, isMap: boolean, at: Place): NftError | null => {
  const types = typesOf(key)
  if (types === null || sameTypes(types, set.spec.key)) return null
  const [wanted, has] = [titleOf(set.spec.key), titleOf(types)]
  return meaningError(
    isMap
      ? `datatype mismatch, map expects ${wanted}, mapping expression has type ${has}`
      : `datatype mismatch, expected ${has}, expression has type ${wanted}`,
    at,
  )
}

/** A map that gives values of one of these forms. */
const wrongMap = (
  table: Table,
  key: Expression,
  source: SetSource,
  forms: ReadonlyArray<ReadonlyArray<Type> | 'verdict'>,
  at: Place,
): NftError | null => {
  if (source.tag === 'anonymous') return null
  const map = setNamed(table, source.name)
  if (map === null) return noSuch(at)
  const { data } = map.spec
  if (data === null) return meaningError('Expression is not a map', at)
  const key0 = wrongKey(key, map, true, at)
  if (key0 !== null) return key0
  const fits = forms.some((form) => (form === 'verdict' || data === 'verdict' ? form === data : sameTypes(form, data)))
  return fits ? null : meaningError('datatype mismatch: expected another type, expression has type of the map', at)
}

const wrongTarget = (table: Table, target: Target | null, forms: ReadonlyArray<ReadonlyArray<Type>>, at: Place) =>
  target?.tag === 'map' && target.of.tag === 'map' ? wrongMap(table, target.of.key, target.of.map, forms, at) : null

const PORT = typeNamed('inet_service')

const wrongTranslation = (table: Table, { family, address, port }: Translation, at: Place): NftError | null => {
  const type = typeNamed((family ?? table.family) === 'ip6' ? 'ipv6_addr' : 'ipv4_addr')
  return wrongTarget(table, address, [[type], [type, PORT]], at) ?? wrongTarget(table, port, [[PORT]], at)
}

/** What nft finds wrong with a statement by what it knows of the table. */
const wrongMeaning = (table: Table, statement: Statement, at: Place): NftError | null => {
  switch (statement.tag) {
    case 'match': {
      if (statement.right.tag !== 'named') return null
      const set = setNamed(table, statement.right.name)
      return set === null ? noSuch(at) : wrongKey(statement.left, set, false, at)
    }
    case 'vmap':
      return wrongMap(table, statement.key, statement.map, ['verdict'], at)
    case 'set':
      return statement.value.tag === 'map'
        ? wrongMap(table, statement.value.key, statement.value.map, [typesOf(statement.of) ?? []], at)
        : null
    case 'nat':
      return wrongTranslation(table, statement.translation, at)
    case 'update': {
      const set = setNamed(table, statement.set)
      if (set === null) return noSuch(at)
      const types = typesOf(statement.key)
      if (types === null || sameTypes(types, set.spec.key)) return null
      return meaningError(
        `datatype mismatch: expected ${titleOf(set.spec.key)}, expression has type ${titleOf(types)}`,
        at,
      )
    }
    default:
      return null
  }
}

const MAX_U32 = 0xffffffff

const wrongModulus = (mod: number, offset: number): Errno | null => {
  if (mod < 1) return 'ERANGE'
  return offset + mod - 1 > MAX_U32 ? 'EOVERFLOW' : null
}

const wrongNumbers = (expression: Expression): Errno | null => {
  switch (expression.tag) {
    case 'numgen':
    case 'symhash':
    case 'jhash':
      return wrongModulus(expression.mod, expression.offset)
    case 'bits':
      return wrongNumbers(expression.left)
    case 'map':
      return wrongNumbers(expression.key)
    case 'concat':
      return expression.parts.map(wrongNumbers).find((errno) => errno !== null) ?? null
    default:
      return null
  }
}

const expressionsOf = (statement: Statement): ReadonlyArray<Expression> => {
  switch (statement.tag) {
    case 'match':
      return [statement.left]
    case 'vmap':
    case 'update':
      return [statement.key]
    case 'set':
      return [statement.value]
    case 'nat':
      return [statement.translation.address, statement.translation.port].flatMap((target) =>
        target?.tag === 'map' ? [target.of] : [],
      )
    default:
      return []
  }
}

/** What the kernel has against chains that are jumped to. */
export const wrongJump = (table: Table, names: ReadonlyArray<string>): Errno | null => {
  for (const name of names) {
    const chain = chainNamed(table, name)
    if (chain === null) return 'ENOENT'
    if (chain.base !== null) return 'EOPNOTSUPP'
  }
  return null
}

/** The greatest key that the kernel keeps one bit for, in bits (nft_set_bitmap.c). */
const BITMAP = 16

/** Whether the kernel keeps the set in something that packets cannot change: only a hash that grows can be. */
const isRigid = ({ key, data, flags, bounded }: SetSpec): boolean => {
  if (flags.has('timeout') || flags.has('dynamic')) return false
  const [first, second] = key
  return bounded || (data === null && second === undefined && first !== undefined && first.bits <= BITMAP)
}

const wrongUpdate = (table: Table, statement: Statement & { tag: 'update' }): Errno | null => {
  const set = setNamed(table, statement.set)
  if (set === null) return 'ENOENT'
  const { flags } = set.spec
  if (flags.has('constant')) return 'EBUSY'
  if (flags.has('interval') || isRigid(set.spec)) return 'EOPNOTSUPP'
  return statement.timeoutMs !== null && !flags.has('timeout') ? 'EOPNOTSUPP' : null
}

const wrongForKernel = (table: Table, statement: Statement): Errno | null => {
  for (const expression of expressionsOf(statement)) {
    const errno = wrongNumbers(expression)
    if (errno !== null) return errno
  }
  const jump = wrongJump(table, targetsOf(statement))
  if (jump !== null) return jump
  if (statement.tag === 'counter-ref') return hasIn(table.counters, statement.name) ? null : 'ENOENT'
  return statement.tag === 'update' ? wrongUpdate(table, statement) : null
}

/** What nft has against a rule, by what it knows of the table: null if there is none. */
export const meaningOf = (table: Table | null, { statements, places, at }: RuleBody): NftError | null => {
  for (const [i, statement] of statements.entries()) {
    const place = places[i] ?? at
    const namesSet = sourcesOf(statement).some(({ tag }) => tag === 'named')
    const wrong = table !== null ? wrongMeaning(table, statement, place) : namesSet ? noSuch(place) : null
    if (wrong !== null) return wrong
  }
  return null
}

/** What the kernel has against a rule. */
/** Where nft points at: what has a name of its own, or all of the rule. */
const NAMING: ReadonlySet<Statement['tag']> = new Set<Statement['tag']>(['verdict', 'counter-ref'])

export const refusalOf = (table: Table, { statements, places, at }: RuleBody): NftError | null => {
  for (const [i, statement] of statements.entries()) {
    const errno = wrongForKernel(table, statement)
    if (errno !== null) return kernelError(errno, NAMING.has(statement.tag) ? (places[i] ?? at) : at)
  }
  return null
}
