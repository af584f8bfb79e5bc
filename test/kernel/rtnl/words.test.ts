// Requests as commands: what is said, in the words of the tools; and what may be any text stays one word.

import { spawnSync } from 'node:child_process'
import { test as check } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asks } from '../../../properties/arbitraries/requests.ts'
import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import { shellText } from '../../../src/kernel/shell-words.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'
import { ifName, ns } from '../../../src/net/name.ts'

const H = ns('h')
const v0 = ifName('v0')
const command = (ask: Ask) => commandOf({ ns: H, ask }, (one) => `cnm-lab-${one}`)
const text = (ask: Ask): string => `${command(ask).tool} ${command(ask).text}`

describe('the command of a request', () => {
  test('names other namespaces as they are called on the machine', () => {
    const kind = { kind: 'veth', peer: { name: ifName('e0'), ns: ns('c') } } as const
    expect(text({ on: 'link', do: 'add', name: v0, up: true, kind })).toBe(
      'ip link add name v0 up type veth peer name e0 netns cnm-lab-c',
    )
    expect(command({ on: 'netns', do: 'add' })).toMatchObject({ ns: null, text: 'netns add cnm-lab-h' })
  })

  test('says the family where a gateway has another one than the destination', () => {
    expect(text({ on: 'route', do: 'add', to: cidr('10.0.0.0/8'), via: ip('fe80::1'), dev: v0 })).toBe(
      'ip route add 10.0.0.0/8 via inet6 fe80::1 dev v0',
    )
  })

  test('calls the remote of a VXLAN a group if it is one', () => {
    const vxlan = (remote: string): Ask => ({
      on: 'link',
      do: 'add',
      name: v0,
      kind: { kind: 'vxlan', vni: 1, remote: ip(remote) },
    })
    expect(text(vxlan('10.0.0.1'))).toContain(' remote 10.0.0.1 dstport 8472')
    expect(text(vxlan('239.0.0.1'))).toContain(' group 239.0.0.1 ')
  })

  test('is of bridge(8) for ports, VLANs and forwarding entries', () => {
    expect(text({ on: 'port', do: 'set', dev: v0, options: { isolated: true, cost: 5 } })).toBe(
      'bridge link set dev v0 cost 5 isolated on',
    )
    expect(text({ on: 'vlan', do: 'delete', dev: v0, id: 3, until: 5 })).toBe('bridge vlan del dev v0 vid 3-5')
    expect(text({ on: 'fdb', do: 'append', dev: v0, mac: mac(0x020000000001), of: 'self', dst: ip('fd00::1') })).toBe(
      'bridge fdb append 02:00:00:00:00:01 dev v0 self dst fd00::1',
    )
  })
})

check.prop([fc.string({ unit: 'binary' }), asks])('any text is one word of the command', (any, ask) => {
  const alias = command({ on: 'link', do: 'set', dev: v0, alias: any })
  expect(alias.words).toEqual(['link', 'set', 'dev', 'v0', 'alias', any])
  // Only an alias or a label may need quotes.
  const free = (ask.on === 'link' && ask.do === 'set' && ask.alias !== undefined) || (ask.on === 'address' && ask.label)
  if (!free && ask.on !== 'sysctl') expect(command(ask).text).toBe(command(ask).words.join(' '))
})

test('sh(1) reads the text as the words again', () => {
  const words = ['plain', '', 'two words', `'"\`$(id) \\ # ; \n\t*`, '-x', '~']
  const read = spawnSync('sh', ['-c', `printf '%s\\0' ${shellText(words)}`], { encoding: 'utf8' }).stdout
  expect(read.split('\0').slice(0, -1)).toEqual(words)
})
