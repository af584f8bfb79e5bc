// Pools of addresses: none is handed out twice before it is given back. A request for any address may get whichever is free,
// so only who has what is checked, not the choice.

import { emptyMap, hasIn, keysUnder, type PMap, removeIn, setIn, sizeOfMap } from '../../net/pmap.ts'
import type { Operation } from '../event.ts'
import { byObject, type Group, grouped, REFUSED, type Spec } from '../spec.ts'

/** Addresses are texts, each with one spelling. */
export type PoolIn = Readonly<
  | { do: 'allocate'; pool: string }
  | { do: 'take'; pool: string; ip: string }
  /** What is free may be given back, too: that is done without doing anything. */
  | { do: 'release'; pool: string; ip: string }
  | { do: 'list'; pool: string }
>
/** An address, for `allocate`; all that are taken, for `list`. */
export type PoolOut =
  | 'done'
  | 'taken'
  | 'free'
  | 'full'
  | Readonly<{ ip: string }>
  | Readonly<{ ips: ReadonlyArray<string> }>

type Taken = PMap<true>
type PoolOperation = Operation<PoolIn, PoolOut>

const take = (taken: Taken, ip: string): ReadonlyArray<Taken> => (hasIn(taken, ip) ? REFUSED : [setIn(taken, ip, true)])

const allocate = (
  taken: Taken,
  addresses: ReadonlyArray<string>,
  output: PoolOut | undefined,
): ReadonlyArray<Taken> => {
  if (output === undefined) return addresses.flatMap((ip) => take(taken, ip))
  if (output === 'full') return sizeOfMap(taken) >= addresses.length ? [taken] : REFUSED
  return typeof output === 'object' && 'ip' in output && addresses.includes(output.ip)
    ? take(taken, output.ip)
    : REFUSED
}

const step =
  (addressesOf: (pool: string) => ReadonlyArray<string>) =>
  (taken: Taken, input: PoolIn, output: PoolOut | undefined): ReadonlyArray<Taken> => {
    const only = (isSo: boolean): ReadonlyArray<Taken> => (isSo ? [taken] : REFUSED)
    switch (input.do) {
      case 'allocate':
        return allocate(taken, addressesOf(input.pool), output)
      case 'take':
        if (output === 'taken') return only(hasIn(taken, input.ip))
        return output === 'done' || output === undefined ? take(taken, input.ip) : REFUSED
      case 'release':
        if (output === 'free') return only(!hasIn(taken, input.ip))
        return output === 'done' || output === undefined ? [removeIn(taken, input.ip)] : REFUSED
      case 'list':
        if (output === undefined) return [taken]
        return only(
          typeof output === 'object' &&
            'ips' in output &&
            [...output.ips].sort().join() === keysUnder(taken, '').join(),
        )
    }
  }

/** What an operation says of one address; null if nothing. */
const concerning = (operation: PoolOperation, ip: string): PoolOperation | null => {
  const { input, output } = operation
  const { pool } = input
  if ('ip' in input) return input.ip === ip ? operation : null
  if (input.do === 'allocate') {
    if (output === 'full') return { ...operation, input: { do: 'take', pool, ip }, output: 'taken' }
    if (output === undefined) return { ...operation, input: { do: 'take', pool, ip } }
    return typeof output === 'object' && 'ip' in output && output.ip === ip ? operation : null
  }
  if (typeof output !== 'object' || !('ips' in output)) return null
  return { ...operation, output: { ips: output.ips.filter((each) => each === ip) } }
}

/** The one address that this is about; null for an operation that is about all of its pool. */
const addressOf = ({ input, output }: PoolOperation): string | null => {
  if ('ip' in input) return input.ip
  return typeof output === 'object' && 'ip' in output ? output.ip : null
}

/**
 * By address. Where some operation is about the whole pool: each address with its share of that, which is quick and finds
 * most of what can be wrong; then the whole pool. An allocation without an answer may have got any one address.
 */
const groupsOf = ({ name, operations }: Group<PoolIn, PoolOut>): ReadonlyArray<Group<PoolIn, PoolOut>> => {
  const plain = grouped(operations, (each) => addressOf(each) ?? '')
  const whole = plain.get('') ?? []
  const parts = [...plain.keys()]
    .filter((ip) => ip !== '')
    .map((ip) => ({
      name: `${name} ${ip}`,
      operations: whole.length === 0 ? (plain.get(ip) ?? []) : operations.flatMap((each) => concerning(each, ip) ?? []),
    }))
  if (whole.length === 0) return parts
  return [...parts, whole.some(({ required }) => required) ? { name, operations } : { name, operations, parts }]
}

const show = (input: PoolIn, output: PoolOut | undefined): string => {
  const asked = `${input.do} ${'ip' in input ? input.ip : input.pool}`
  if (output === undefined) return `${asked}: ?`
  if (typeof output !== 'object') return `${asked}: ${output}`
  return `${asked}: ${'ip' in output ? output.ip : output.ips.join(' ') || 'none'}`
}

/** `addressesOf`: what a pool can hand out to who asks for any. */
export const poolSpec = (addressesOf: (pool: string) => ReadonlyArray<string>): Spec<Taken, PoolIn, PoolOut> => ({
  initial: emptyMap(),
  step: step(addressesOf),
  key: (taken) => keysUnder(taken, '').join(),
  observes: (input, output) => input.do === 'list' || output === 'taken' || output === 'free' || output === 'full',
  partition: (operations) => byObject(operations, ({ input }) => [`pool ${input.pool}`]).flatMap(groupsOf),
  show,
})
