// What cases are, and the devices and requests that many of them name.

import type { Errno } from '../../../src/kernel/errno.ts'
import type { PortOptions } from '../../../src/kernel/rtnl/kind.ts'
import type { Ask, NewLink, SetLink } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import type { Ns } from '../../../src/net/name.ts'
import { dev, H, mac } from './world.ts'

export type Case = Readonly<{ ask: Ask; ns: Ns; errno: Errno | null; before: ReadonlyArray<Ask> }>
export type Group = Readonly<{ what: string; cases: ReadonlyArray<Case> }>

export const of =
  (ns: Ns) =>
  (ask: Ask, errno: Errno | null = null, ...before: ReadonlyArray<Ask>): Case => ({ ask, ns, errno, before })
export const on = of(H)

export const [br0, v0, v1, v2, vx0, gone] = ['br0', 'v0', 'v1', 'v2', 'vx0', 'gone'].map(dev) as [
  NewLink['name'],
  NewLink['name'],
  NewLink['name'],
  NewLink['name'],
  NewLink['name'],
  NewLink['name'],
]
export const x = dev('x')

export type Rest<A> = Omit<A, 'on' | 'do'>
export const add = (kind: NewLink['kind'], rest: Partial<Rest<NewLink>> = {}): NewLink => ({
  on: 'link',
  do: 'add',
  name: x,
  mac: mac(0x99),
  ...rest,
  kind,
})
export const set = (name: SetLink['dev'], rest: Omit<Rest<SetLink>, 'dev'>): SetLink => ({
  on: 'link',
  do: 'set',
  dev: name,
  ...rest,
})
export const drop = (name: SetLink['dev']): Ask => ({ on: 'link', do: 'delete', dev: name })
export const port = (name: SetLink['dev'], options: PortOptions): Ask => ({ on: 'port', do: 'set', dev: name, options })

export const bridge = { kind: 'bridge' } as const
export const veth = { kind: 'veth', peer: { name: dev('y'), mac: mac(0x98) } } as const
export const vxlan = { kind: 'vxlan', vni: 7 } as const

export const disabled6 = (name: string): Ask => ({
  on: 'sysctl',
  do: 'write',
  name: `net.ipv6.conf.${name}.disable_ipv6` as SysctlName,
  value: '1',
})
