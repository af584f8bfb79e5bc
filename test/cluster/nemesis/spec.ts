// What clients of several hosts may see of networks, endpoints and sandboxes, as objects of which one operation happens after the other:
//   a name of networks       who has it
//   a network                the endpoints on it: it goes only when there are none
//   a name on a network, and an address of it: which endpoint has it, and where that is joined
//   a sandbox                whether it is there
// A clear takes from a host, at one instant for each object, what it has of what hosts share, and nothing else does.

import type { Operation } from '../../../src/history/event.ts'
import { type Group, grouped, REFUSED, type Spec } from '../../../src/history/spec.ts'
import type { Act } from './protocol.ts'

/** Of an object: a name of networks, a network, a name on one, an address of one, a sandbox. */
type Kind = 'name' | 'network' | 'slot' | 'address' | 'sandbox'

/** `host`: where it was asked; of a clear, whose endpoints. `of`: filled in by the spec, which kind of object it is judged as a part of. */
export type In = Readonly<{ host: string; of?: Kind }> & (Act | Readonly<{ do: 'clear' }>)

/**
 * `done`, with the address of a new endpoint; or why not. `absent`: what it is about; `no network`, `no endpoint`, `no sandbox`: what
 * it needs. `taken` of an endpoint is its name, `address taken` its address, and then its name was free.
 */
export type Out = Readonly<{
  said:
    | 'done'
    | 'absent'
    | 'taken'
    | 'address taken'
    | 'in use'
    | 'joined'
    | 'not joined'
    | 'elsewhere'
    | 'no network'
    | 'no sandbox'
  ip: string | null
}>

type Op = Operation<In, Out>

/** An endpoint, where it is, and in which sandbox. */
type Seat = Readonly<{ host: string; box: number | null }>
/** `name`: who has it. `seats`: who has it, or is on it; of a network also whether it is there. */
type State = Readonly<{ holder: number | null; seats: ReadonlyMap<number, Seat> }>

const EMPTY: State = { holder: null, seats: new Map() }

const keyOf = ({ holder, seats }: State): string =>
  `${holder} ${[...seats]
    .map(([end, { host, box }]) => `${end}${host}${box}`)
    .sort()
    .join()}`

const withSeat = (state: State, end: number, seat: Seat | null): State => {
  const seats = new Map(state.seats)
  if (seat === null) seats.delete(end)
  else seats.set(end, seat)
  return { ...state, seats }
}
const emptied = (state: State, isGone: (seat: Seat) => boolean): State => {
  const seats = new Map([...state.seats].filter(([, seat]) => !isGone(seat)))
  return seats.size === state.seats.size ? state : { ...state, seats }
}

type Said = Out['said'] | undefined
const only = (state: State, isSo: boolean): ReadonlyArray<State> => (isSo ? [state] : REFUSED)

/** What happens to endpoints that are there already. Null: it is about something else. */
const onSeats = (state: State, input: In, said: Said): ReadonlyArray<State> | null => {
  switch (input.do) {
    case 'no endpoint': {
      const seat = state.seats.get(input.end)
      if (said === 'absent') return only(state, seat === undefined)
      if (said === 'joined') return only(state, seat !== undefined && seat.box !== null)
      if (said === 'elsewhere') return only(state, seat !== undefined && seat.host !== input.host)
      const isFree = seat !== undefined && seat.box === null && seat.host === input.host
      if (said === undefined && !isFree) return [state]
      return isFree ? [withSeat(state, input.end, null)] : REFUSED
    }
    case 'join': {
      const seat = state.seats.get(input.end)
      if (said === 'absent') return only(state, seat === undefined)
      if (said === 'joined') return only(state, seat !== undefined && seat.box !== null)
      if (said === 'elsewhere') return only(state, seat !== undefined && seat.host !== input.host)
      if (said === 'no sandbox') return only(state, seat !== undefined)
      const isFree = seat !== undefined && seat.box === null && seat.host === input.host
      if (said === undefined && !isFree) return [state]
      return isFree ? [withSeat(state, input.end, { host: input.host, box: input.box })] : REFUSED
    }
    case 'leave': {
      const seat = state.seats.get(input.end)
      if (said === 'absent') return only(state, seat === undefined)
      if (said === 'not joined') return only(state, seat !== undefined && seat.box !== input.box)
      if (said === 'elsewhere') return only(state, seat !== undefined && seat.host !== input.host)
      if (said === 'no sandbox') return only(state, seat !== undefined && seat.box !== input.box)
      const isIn = seat !== undefined && seat.box === input.box && seat.host === input.host
      if (said === undefined && !isIn) return [state]
      return isIn ? [withSeat(state, input.end, { host: input.host, box: null })] : REFUSED
    }
    case 'no sandbox':
      if (said === 'absent')
        return only(
          state,
          [...state.seats.values()].every(({ box }) => box !== input.box),
        )
      return [emptied(state, ({ box }) => box === input.box)]
    case 'clear':
      return [emptied(state, ({ host }) => host === input.host)]
    default:
      return null
  }
}

type Stepping = (state: State, input: In, said: Said) => ReadonlyArray<State>

/** A name of networks. */
const stepName: Stepping = (state, input, said) => {
  const { holder } = state
  if (input.do === 'network') {
    if (said === 'taken') return only(state, holder !== null)
    if (holder === null) return [{ ...state, holder: input.net }]
    return only(state, said === undefined)
  }
  if (input.do === 'no network') {
    if (said === 'absent') return only(state, holder !== input.net)
    if (said === 'in use') return only(state, holder === input.net)
    if (holder === input.net) return [{ ...state, holder: null }]
    return only(state, said === undefined)
  }
  if (input.do !== 'endpoint') return [state]
  return only(state, said === undefined || (holder === input.net) !== (said === 'no network'))
}

/** A network: `holder` is itself while it is there. */
const stepNetwork: Stepping = (state, input, said) => {
  // Its name is another's.
  if (input.do === 'network' && said === 'taken') return only(state, state.holder === null)
  if (input.do === 'no network' && said === 'in use') return only(state, state.holder !== null && state.seats.size > 0)
  if (input.do === 'no network' && (said === 'done' || said === undefined) && state.seats.size > 0)
    return only(state, said === undefined)
  if (input.do === 'endpoint' && (said === 'done' || (said === undefined && state.holder !== null))) {
    if (state.holder === null) return REFUSED
    return [withSeat(state, input.end, { host: input.host, box: null })]
  }
  return onSeats(state, input, said) ?? stepName(state, input, said)
}

/** A name or an address on a network. */
const stepSlot: Stepping = (state, input, said) => {
  if (input.do !== 'endpoint') return onSeats(state, input, said) ?? [state]
  const isFree = state.seats.size === 0
  if (said === (input.of === 'slot' ? 'taken' : 'address taken')) return only(state, !isFree)
  if (said === 'address taken' || said === 'no network') return only(state, isFree)
  if (!isFree) return only(state, said === undefined)
  return [withSeat(state, input.end, { host: input.host, box: null })]
}

/** A sandbox: `holder` is itself while it is there. */
const stepSandbox: Stepping = (state, input, said) => {
  const isThere = state.holder !== null
  if (input.do === 'sandbox') {
    if (said === 'taken') return only(state, isThere)
    return isThere ? only(state, said === undefined) : [{ ...state, holder: input.box }]
  }
  if (input.do === 'no sandbox') {
    if (said === 'absent') return only(state, !isThere)
    return isThere ? [{ ...state, holder: null }] : only(state, said === undefined)
  }
  if (said === undefined || said === 'absent' || said === 'elsewhere') return [state]
  return only(state, isThere === (said !== 'no sandbox'))
}

const STEPS: Readonly<Record<Kind, Stepping>> = {
  name: stepName,
  network: stepNetwork,
  slot: stepSlot,
  address: stepSlot,
  sandbox: stepSandbox,
}

const observes = (input: In, output: Out | undefined): boolean => {
  if (output === undefined) return false
  if (output.said !== 'done') return true
  if (input.of === 'name') return input.do === 'endpoint'
  return input.of === 'sandbox' && input.do !== 'sandbox' && input.do !== 'no sandbox'
}

/** The address that an endpoint had which was seen, though nobody was answered; null: it was not seen. */
export type Seen = (end: number) => string | null

type Part = Group<In, Out>
const groupOf = (of: Kind, name: string, operations: ReadonlyArray<Op>): Part => ({
  name,
  operations: [...new Map(operations.map((each) => [each.id, each])).values()]
    .sort((a, b) => a.called - b.called)
    .map((each) => ({ ...each, input: { ...each.input, of } })),
})

/** Everything that was to happen to each endpoint; what happens to a sandbox is of all that were to join it. */
const byEndpoint = (operations: ReadonlyArray<Op>): ((end: number) => ReadonlyArray<Op>) => {
  const inBox = grouped(
    operations.flatMap(({ input }) => (input.do === 'join' ? [input] : [])),
    ({ box }) => `${box}`,
  )
  const pairs = operations.flatMap((operation) => {
    const { input } = operation
    if ('end' in input) return [{ end: input.end, operation }]
    if (input.do !== 'no sandbox') return []
    const ends = new Set((inBox.get(`${input.box}`) ?? []).map(({ end }) => end))
    return [...ends].map((end) => ({ end, operation }))
  })
  const groups = grouped(pairs, ({ end }) => `${end}`)
  return (end) => (groups.get(`${end}`) ?? []).map(({ operation }) => operation)
}

/** Of an endpoint that may have had this address, or another. */
const doubtful = (operation: Op): Op => ({ ...operation, output: undefined, required: false })

/** `ip` null: nobody knows. `isMade` false: it was refused. */
type Made = Readonly<{ end: number; net: number; name: string; ip: string | null; isMade: boolean }>

const madeIn = (operations: ReadonlyArray<Op>, seen: Seen): ReadonlyArray<Made> =>
  operations.flatMap(({ input, output }) => {
    if (input.do !== 'endpoint') return []
    const { end, net, name } = input
    const ip = output?.ip ?? input.ip ?? seen(end)
    return [{ end, net, name, ip, isMade: output === undefined || output.said === 'done' }]
  })

const addressesOf = (
  title: string,
  ends: ReadonlyArray<Made>,
  its: (end: number) => ReadonlyArray<Op>,
  clears: ReadonlyArray<Op>,
) => {
  const lost = ends.filter(({ ip, isMade }) => ip === null && isMade).flatMap(({ end }) => its(end))
  const known = grouped(
    ends.filter(({ ip }) => ip !== null),
    ({ ip }) => ip ?? '',
  )
  return [...known].map(([ip, some]) => {
    // Who was refused its name did not ask for its address.
    const told = some.flatMap(({ end }) => its(end)).filter(({ output }) => output?.said !== 'taken')
    return groupOf('address', `address ${ip} on ${title}`, [...told, ...lost.map(doubtful), ...clears])
  })
}

const groupsOf = (operations: ReadonlyArray<Op>, seen: Seen): ReadonlyArray<Part> => {
  const its = byEndpoint(operations)
  const clears = operations.filter(({ input }) => input.do === 'clear')
  const aboutNet = grouped(
    operations.filter(({ input }) => 'net' in input),
    ({ input }) => ('net' in input ? `${input.net}` : ''),
  )
  const endsOn = grouped(madeIn(operations, seen), ({ net }) => `${net}`)
  const networks = operations.flatMap(({ input }) => (input.do === 'network' ? [input] : []))
  const names = [...grouped(networks, ({ name, scope }) => `network ${name} of ${scope}`)].map(([title, some]) =>
    groupOf(
      'name',
      title,
      some.flatMap(({ net }) => aboutNet.get(`${net}`) ?? []),
    ),
  )
  const ofNetworks = networks.flatMap(({ net, name, scope }) => {
    const title = `network ${name} (${net})`
    const ends = endsOn.get(`${net}`) ?? []
    const all = ends.flatMap(({ end }) => its(end))
    const cleared = scope === 'global' ? clears : []
    const slots = [...grouped(ends, (each) => each.name)].map(([slot, some]) =>
      groupOf('slot', `name ${slot} on ${title}`, [...some.flatMap(({ end }) => its(end)), ...cleared]),
    )
    const addresses = addressesOf(title, ends, its, cleared)
    return [...slots, ...addresses, groupOf('network', title, [...(aboutNet.get(`${net}`) ?? []), ...all, ...cleared])]
  })
  const ofBoxes = operations.filter(({ input }) => 'box' in input)
  const boxes = [...grouped(ofBoxes, ({ input }) => ('box' in input ? `sandbox ${input.box}` : ''))]
  return [...names, ...ofNetworks, ...boxes.map(([title, some]) => groupOf('sandbox', title, some))]
}

const shownInput = (input: In): string => {
  switch (input.do) {
    case 'network':
      return `create network ${input.net} ${input.name}`
    case 'no network':
      return `delete network ${input.net}`
    case 'endpoint':
      return `create endpoint ${input.end} ${input.name}${input.ip === null ? '' : ` at ${input.ip}`} on ${input.net}`
    case 'no endpoint':
      return `delete endpoint ${input.end}`
    case 'sandbox':
      return `create sandbox ${input.box}`
    case 'no sandbox':
      return `delete sandbox ${input.box}`
    case 'join':
      return `join ${input.end} to ${input.box}`
    case 'leave':
      return `${input.end} leaves ${input.box}`
    case 'clear':
      return `clear ${input.host}`
  }
}

const show = (input: In, output: Out | undefined): string =>
  `${shownInput(input)}: ${output === undefined ? '?' : (output.ip ?? output.said)}`

export const hostsSpec = (seen: Seen): Spec<State, In, Out> => ({
  initial: EMPTY,
  step: (state, input, output) => STEPS[input.of ?? 'name'](state, input, output?.said),
  key: keyOf,
  observes,
  partition: (operations) => groupsOf(operations, seen),
  show,
})
