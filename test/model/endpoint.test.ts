// The rules of endpoints, a fact for each row of docs/rules.md that names one. More of them are in decide.test.ts.

import { describe, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { renderAll } from '../../src/drivers/render.ts'
import { dnsNames, resolveIp, resolveName } from '../../src/model/queries.ts'
import { cidr, showCidr } from '../../src/net/cidr.ts'
import { ip, isLinkLocal, showIp } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { ifName } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import {
  box,
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  endpointIn,
  join,
  net,
  obey,
  outcome,
  pool,
  refusal,
  sentence,
  v4,
  v6,
} from '../lib/model.ts'

const dual = createNetwork(1, 'front', { pools: [pool('10.1.0.0/24'), pool('fd00:1::/64')] })
const model = obey([dual, createNetwork(2, 'tiny', { pools: [pool('10.2.0.0/30')] })])
const addresses = (from: ReturnType<typeof obey>, n: number) =>
  endpointIn(from, n).addresses.map(({ cidr: at }) => showCidr(at))

describe('the addresses of an endpoint', () => {
  test('are one of each family that the network has', () => {
    expect(addresses(obey([createEndpoint(1, 1, 'web')], model), 1)).toEqual(['10.1.0.2/24', 'fd00:1::2/64'])
  })

  test('include no IPv6 where the endpoint wants none', () => {
    expect(addresses(obey([createEndpoint(1, 1, 'web', { disableIPv6: true })], model), 1)).toEqual(['10.1.0.2/24'])
  })

  test('may be outside the range for automatic ones, if asked for', () => {
    const ranged = createNetwork(3, 'ranged', { pools: [{ ...pool('10.3.0.0/24'), range: cidr('10.3.0.128/25') }] })
    const more = obey([ranged, createEndpoint(1, 3, 'web', { ipv4: v4('10.3.0.7') })])
    expect(addresses(more, 1)).toEqual(['10.3.0.7/24'])
  })

  test('are free again when it is deleted', () => {
    const again = obey(
      [createEndpoint(1, 1, 'web'), { tag: 'DeleteEndpoint', id: end(1), force: false }, createEndpoint(2, 1, 'api')],
      model,
    )
    expect(addresses(again, 2)).toEqual(['10.1.0.2/24', 'fd00:1::2/64'])
  })

  test('are refused by name of network and endpoint when none is left', () => {
    const full = obey([createEndpoint(1, 2, 'web')], model)
    const error = refusal(full, createEndpoint(2, 2, 'api'))
    expect(sentence(error)).toBe('network "tiny" has no IPv4 address left for endpoint "api" (10.2.0.0/30)')
    expect(outcome(error)).toEqual(['NoAddressLeft', 503])
  })

  test.each([
    ['IPv6 address and no IPv6', { ipv6: v6('fd00:1::5'), disableIPv6: true }, 'IPv6Off', 400],
    ['link-local IPv6 and no IPv6', { linkLocal: [ip('fe80::5')], disableIPv6: true }, 'IPv6Off', 400],
    ['address of no subnet of the network', { ipv4: v4('10.9.0.1') }, 'NoSuchSubnet', 400],
    ['address that is not link-local as one', { linkLocal: [ip('10.1.0.5')] }, 'NotLinkLocal', 400],
    ['multicast address as a link-local one', { linkLocal: [ip('ff02::1')] }, 'NotLinkLocal', 400],
    ['link-local address twice', { linkLocal: [ip('fe80::5'), ip('fe80::5')] }, 'LinkLocalTaken', 403],
    ['link-local address of the host', { linkLocal: [ip('fe80::1')] }, 'LinkLocalTaken', 403],
    ['group address as MAC', { mac: mac(0x010000000001) }, 'BadMac', 400],
    ['MAC of zeros', { mac: mac(0) }, 'BadMac', 400],
    ['sysctl of the host', { sysctls: { 'kernel.panic': '1' } }, 'BadSysctl', 400],
    ['sysctl of another interface', { sysctls: { 'net.ipv4.conf.eth0.forwarding': '1' } }, 'BadSysctl', 400],
    ['sysctl of several words', { sysctls: { 'net.ipv4.conf.IFNAME.forwarding': '1 2' } }, 'BadSysctl', 400],
  ])('and settings: an %s is refused', (_, more, tag, code) => {
    expect(outcome(refusal(model, createEndpoint(1, 1, 'web', more)))).toEqual([tag, code])
  })

  test('that are link-local are in no subnet of the network', () => {
    const zeroconf = obey([createNetwork(3, 'zeroconf', { pools: [pool('169.254.0.0/16')] })])
    const error = refusal(zeroconf, createEndpoint(1, 3, 'web', { linkLocal: [ip('169.254.0.2')] }))
    expect(outcome(error)).toEqual(['LinkLocalInSubnet', 400])
    expect(sentence(error)).toBe(
      '169.254.0.2 cannot be a link-local address of network "zeroconf": it lies in its subnet 169.254.0.0/16',
    )
  })

  test('that are link-local are none that the host has on the network', () => {
    const own = renderAll(DRIVERS, model).flatMap(({ fragment }) =>
      fragment.flatMap((object) => (object.kind === 'address' && isLinkLocal(object.cidr.ip) ? [object.cidr.ip] : [])),
    )
    expect(own).toEqual([ip('fe80::1')])
    expect(sentence(refusal(model, createEndpoint(1, 1, 'web', { linkLocal: own })))).toBe(
      'link-local address fe80::1 of network "front" belongs to the host already',
    )
    expect(refusal(model, createEndpoint(1, 2, 'web', { linkLocal: own }))).toBeNull()
  })

  test('that are link-local belong to one endpoint of a network', () => {
    const taken = obey([createEndpoint(1, 1, 'web', { linkLocal: [ip('169.254.7.7')] })], model)
    expect(sentence(refusal(taken, createEndpoint(2, 1, 'api', { linkLocal: [ip('169.254.7.7')] })))).toBe(
      'link-local address 169.254.7.7 of network "front" belongs to "web" already',
    )
    expect(refusal(taken, createEndpoint(2, 2, 'api', { linkLocal: [ip('169.254.7.7')] }))).toBeNull()
  })
})

describe('an endpoint', () => {
  test('keeps what was asked for beside what it got', () => {
    const made = endpointIn(obey([createEndpoint(1, 1, 'web', { ipv4: v4('10.1.0.9') })], model), 1)
    expect(made.asked).toEqual({ ipv4: v4('10.1.0.9'), ipv6: null, mac: null, ifName: null })
  })

  test('keeps its exposed ports, sysctls and whether names are resolved for it', () => {
    const more = {
      exposed: [{ port: port(80), transport: 'tcp' as const }],
      sysctls: { 'net.ipv4.conf.IFNAME.forwarding': '1' },
    }
    const made = endpointIn(obey([createEndpoint(1, 1, 'web', { ...more, disableResolution: true })], model), 1)
    expect(made).toMatchObject({ ...more, resolution: false })
  })

  test('is joined under the interface name it was made with, unless the join asks for another', () => {
    const named = obey(
      [
        createSandbox(1, 'web'),
        createEndpoint(1, 1, 'web', { ifName: ifName('net0') }),
        createEndpoint(2, 2, 'web', { ifName: ifName('net0') }),
        join(1, 1),
      ],
      model,
    )
    expect(endpointIn(named, 1).attachment?.ifName).toBe('net0')
    expect(refusal(named, join(2, 1))?.tag).toBe('InterfaceTaken')
    expect(endpointIn(obey([join(2, 1, { ifName: ifName('net1') })], named), 2).attachment?.ifName).toBe('net1')
  })

  test.each([
    ['a blank name', createEndpoint(2, 1, ' '), 'NameEmpty', 400],
    ['a name that is taken', createEndpoint(2, 1, 'web'), 'EndpointNameTaken', 403],
    ['an id that is taken', createEndpoint(1, 1, 'api'), 'IdTaken', 409],
    ['a network that is not there', createEndpoint(2, 9, 'api'), 'NotFound', 404],
  ])('with %s is refused', (_, command, tag, code) => {
    expect(outcome(refusal(obey([createEndpoint(1, 1, 'web')], model), command))).toEqual([tag, code])
  })

  test('may have the name of one on another network', () => {
    expect(refusal(obey([createEndpoint(1, 1, 'web')], model), createEndpoint(2, 2, 'web'))).toBeNull()
  })

  test('that is not there cannot be deleted, by force or not', () => {
    for (const force of [true, false])
      expect(outcome(refusal(model, { tag: 'DeleteEndpoint', id: end(1), force }))).toEqual(['NotFound', 404])
  })
})

describe('the names of an endpoint', () => {
  const joined = obey(
    [
      createSandbox(1, 'web'),
      createSandbox(2, 'api'),
      createEndpoint(1, 1, 'web', { aliases: ['www'] }),
      createEndpoint(2, 1, 'api'),
      join(1, 1),
      join(2, 2),
    ],
    model,
  )
  const resolve = (from: typeof joined, name: string) => resolveName(from, box(2), name).map(showIp)

  test('are its name, which its addresses resolve to, and its aliases', () => {
    expect(dnsNames(endpointIn(joined, 1))).toEqual(['web', 'www'])
    expect(resolveIp(joined, box(2), ip('10.1.0.2'))).toBe('web.front')
    expect(resolveIp(joined, box(2), ip('10.9.9.9'))).toBeNull()
  })

  test('are changed all at once, and the old ones are gone', () => {
    const renamed = obey([{ tag: 'RenameEndpoint', id: end(1), name: 'site', aliases: ['home'] }], joined)
    expect(['web', 'www', 'site', 'home'].map((name) => resolve(renamed, name).length)).toEqual([0, 0, 2, 2])
    expect(resolveIp(renamed, box(2), ip('10.1.0.2'))).toBe('site.front')
    expect(refusal(renamed, createEndpoint(3, 1, 'web'))).toBeNull()
  })

  test('stay as they are where a change does not speak of them', () => {
    const renamed = obey([{ tag: 'RenameEndpoint', id: end(1), name: 'site' }], joined)
    expect(dnsNames(endpointIn(renamed, 1))).toEqual(['site', 'www'])
    expect(obey([{ tag: 'RenameEndpoint', id: end(1), name: 'site' }], renamed)).toBe(renamed)
  })

  test.each([
    ['to one that is taken', { id: end(1), name: 'api' }, 'EndpointNameTaken', 403],
    ['to none', { id: end(1), name: ' ' }, 'NameEmpty', 400],
    ['where there is no endpoint', { id: end(9), name: 'x' }, 'NotFound', 404],
  ])('are not changed %s', (_, change, tag, code) => {
    expect(outcome(refusal(joined, { tag: 'RenameEndpoint', ...change }))).toEqual([tag, code])
  })

  test('do not resolve before it has joined, or after it has left', () => {
    const away = obey([{ tag: 'Leave', endpoint: end(1), sandbox: box(1) }], joined)
    expect(resolve(away, 'web')).toEqual([])
  })
})

test('a network whose only endpoint is gone by force can be deleted', () => {
  const made = obey([createEndpoint(1, 1, 'web'), { tag: 'DeleteEndpoint', id: end(1), force: true }], model)
  expect(refusal(made, { tag: 'DeleteNetwork', id: net(1) })).toBeNull()
})
