// Stories: a small network, and requests or packets in it, one after the other. What they do is recorded as text (telling.ts).

import type { BridgeOptions, IpvlanFlag, IpvlanMode, NewKind, VlanOptions } from '../../../src/kernel/rtnl/kind.ts'
import type {
  AddressRequest,
  Ask,
  FdbRequest,
  NewLink,
  Request,
  SetLink,
  VlanRequest,
} from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { mac } from '../../../src/net/mac.ts'
import { ifName, LO, type Ns, ns } from '../../../src/net/name.ts'

export type Step = Request | Try
/** Its title is a phrase; `given` is done first, all of it, and then each of `steps` is told of. */
export type Story = Readonly<{ title: string; given: ReadonlyArray<Request>; steps: ReadonlyArray<Step> }>

export const H = ns('h')
export const C = ns('c')

const placesOf = (step: Step): ReadonlyArray<Ns> =>
  isTry(step) || !('to' in step.ask) || step.ask.on !== 'link' || step.ask.to === undefined
    ? [step.ns]
    : [step.ns, step.ask.to]
/** The namespaces that a story is about; looking at one that it is not about takes as long. */
export const roomsOf = ({ given, steps }: Story): ReadonlyArray<Ns> => [
  ...new Set([H, ...[...given, ...steps].flatMap(placesOf)]),
]

export const isTry = (step: Step): step is Try => 'send' in step
/** A story of packets is told by what becomes of them, and not by its stacks, which they change. */
export const isOfPackets = ({ steps }: Story): boolean => steps.some(isTry)

export const dev = ifName
export const macOf = (n: number) => mac(0x020000000000 + n)

/** What goes to `h` may be written without it. */
type Written = Ask | Request
const requestOf = (step: Written): Request => ('ask' in step ? step : { ns: H, ask: step })
const stepOf = (step: Written | Try): Step => ('send' in step ? step : requestOf(step))
export const inC = (ask: Ask): Request => ({ ns: C, ask })
export const inNs = (name: string, ...asks: ReadonlyArray<Ask>): ReadonlyArray<Request> =>
  asks.map((ask) => ({ ns: ns(name), ask }))
export const story = (title: string, given: ReadonlyArray<Written>, ...steps: ReadonlyArray<Written | Try>): Story => ({
  title,
  given: given.map(requestOf),
  steps: steps.map(stepOf),
})

type More = Partial<Omit<NewLink, 'on' | 'do' | 'name' | 'dev' | 'kind'>>
const link = (name: string, kind: NewKind, below: string | undefined, more: More): NewLink => ({
  on: 'link',
  do: 'add',
  name: dev(name),
  ...(below === undefined ? {} : { dev: dev(below) }),
  ...more,
  kind,
})
export const dummy = (name: string, n: number, more: More = {}): Ask =>
  link(name, { kind: 'dummy' }, undefined, { mac: macOf(n), ...more })
export const bridge = (name: string, n: number, options: BridgeOptions = {}, more: More = {}): Ask =>
  link(name, { kind: 'bridge', ...options }, undefined, { mac: macOf(n), ...more })
/** Its ends have the MACs `n` and `n + 1`. */
export const pair = (name: string, other: string, n: number, more: More = {}): Ask =>
  link(name, { kind: 'veth', peer: { name: dev(other), mac: macOf(n + 1) } }, undefined, { mac: macOf(n), ...more })
export const vlan = (
  name: string,
  below: string | undefined,
  id: number,
  more: More & Omit<VlanOptions, 'id'> = {},
): Ask => {
  const { protocol, ...rest } = more
  return link(name, { kind: 'vlan', id, ...(protocol === undefined ? {} : { protocol }) }, below, rest)
}
export const ipvlan = (
  name: string,
  below: string | undefined,
  more: More & Readonly<{ mode?: IpvlanMode; flag?: IpvlanFlag }> = {},
): Ask => {
  const { mode, flag, ...rest } = more
  const kind = {
    kind: 'ipvlan' as const,
    ...(mode === undefined ? {} : { mode }),
    ...(flag === undefined ? {} : { flag }),
  }
  return link(name, kind, below, rest)
}
export const macvlan = (name: string, below: string, n: number, more: More = {}): Ask =>
  link(name, { kind: 'macvlan', mode: 'bridge' }, below, { mac: macOf(n), ...more })

type Settings = Omit<SetLink, 'on' | 'do' | 'dev'>
export const set = (name: string, to: Settings): Ask => ({ on: 'link', do: 'set', dev: dev(name), ...to })
export const up = (name: string): Ask => set(name, { up: true })
export const down = (name: string): Ask => set(name, { up: false })
export const drop = (name: string): Ask => ({ on: 'link', do: 'delete', dev: dev(name) })
export const enslave = (name: string, master: string): Ask => set(name, { master: dev(master) })
export const release = (name: string): Ask => set(name, { master: null })
export const mode = (name: string, to: Readonly<{ mode?: IpvlanMode; flag?: IpvlanFlag }>): Ask =>
  set(name, { kind: { kind: 'ipvlan', ...to } })
export const tune = (name: string, options: BridgeOptions): Ask => set(name, { kind: { kind: 'bridge', ...options } })

export const has = (name: string, text: string, more: Partial<AddressRequest> = {}): Ask => ({
  on: 'address',
  do: 'add',
  dev: dev(name),
  cidr: cidr(text),
  ...more,
})
export const lacks = (name: string, text: string): Ask => ({
  on: 'address',
  do: 'delete',
  dev: dev(name),
  cidr: cidr(text),
})
type OfVlan = Partial<Omit<VlanRequest, 'on' | 'do' | 'dev' | 'id'>>
export const vid = (name: string, id: number, more: OfVlan = {}): Ask => ({
  on: 'vlan',
  do: 'add',
  dev: dev(name),
  id,
  ...more,
})
export const noVid = (name: string, id: number, more: OfVlan = {}): Ask => ({
  on: 'vlan',
  do: 'delete',
  dev: dev(name),
  id,
  ...more,
})
export const fdb = (name: string, n: number, more: Partial<Omit<FdbRequest, 'on' | 'dev' | 'mac'>> = {}): Ask => ({
  on: 'fdb',
  do: 'add',
  dev: dev(name),
  mac: macOf(n),
  of: 'master',
  ...more,
})

export const sysctl = (name: string, value: string): Ask => ({
  on: 'sysctl',
  do: 'write',
  // A name that is not one of ours.
  name: name as SysctlName,
  value,
})
export const loopback: Ask = set(LO, { up: true })
