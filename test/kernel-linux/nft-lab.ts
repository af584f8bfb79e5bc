// The firewall of a namespace of its own, looked at and changed through libnftables and through nft(8).

import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import * as make from '../../src/kernel/firewall/elements.ts'
import type { NftElement, NftTable } from '../../src/kernel/object.ts'
import { keyOf } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import type { Firewall } from '../../src/kernel-linux/firewall.ts'
import { throughConsole } from '../../src/kernel-linux/nft/console.ts'
import { throughLibnftables } from '../../src/kernel-linux/nft/in-process.ts'
import { throughNft } from '../../src/kernel-linux/nft/tool.ts'
import type { Paths } from '../../src/kernel-linux/place.ts'
import { type Run, runWithin } from '../../src/kernel-linux/run.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { HOST, ifName, type Ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { rightOf } from './labs.ts'

export const pathTo = (where: Ns): string => `/run/netns/${ownNamespace(where)}`
export const PATHS: Paths = (where) => (where === HOST ? null : pathTo(where))

/** What a program prints. */
export const outside = (program: string, ...args: ReadonlyArray<string>): string => {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

export const makeSpace = (where: Ns): void => void outside('ip', 'netns', 'add', ownNamespace(where))
export const deleteSpace = (where: Ns): void => void outside('ip', 'netns', 'delete', ownNamespace(where))

/** What a program prints that is run inside. */
export const inside = (where: Ns, ...words: ReadonlyArray<string>): string =>
  outside('nsenter', `--net=${pathTo(where)}`, '--', ...words)

const run = runWithin(2)
/** Runs tools in the namespace at a path. */
export const runAt: Run = (path, program, args, input) =>
  path === null
    ? run(null, program, args, input)
    : run(null, 'nsenter', [`--net=${path}`, '--', program, ...args], input)

export const inProcess = (): Firewall => rightOf(throughLibnftables(PATHS))
/** Where libnftables cannot be loaded. */
export const withConsole = (): Firewall => throughConsole(runAt, PATHS, PATHS)
export const withTool = (): Firewall => throughNft(runAt, PATHS)

export const table = (where: Ns): NftTable => make.skeletonTable(where)
export const createOf = (object: NftTable | NftElement): KernelOp => ({ verb: 'create', object })
export const deleteOf = (object: NftTable | NftElement): KernelOp => ({ verb: 'delete', object })

/** A published port of every address. */
export const published = (where: Ns, n: number, last = 2): NftElement =>
  make.publishElement(where, { ip: ip('0.0.0.0'), port: port(n) }, 'tcp', {
    ip: ip(`10.0.0.${last}`),
    port: port(80),
  })
export const masquerade = (where: Ns, subnet: string): NftElement => make.masqueradeElement(where, cidr(subnet))

/** The table as a set of texts. */
export const texts = (objects: ReadonlyArray<NftTable | NftElement>): ReadonlyArray<string> =>
  objects
    .map((object) =>
      object.kind === 'nft-table'
        ? `skeleton ${object.skeleton}`
        : `${keyOf(object).slice(object.ns.length)} ${object.value?.join(' . ') ?? ''}`.trim(),
    )
    .sort()

const SUBNETS4 = ['10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '10.2.0.0/16', '10.2.3.4/32']
const SUBNETS6 = ['fd00::/8', 'fd00:1::/64', 'fd00:2::/64']

const pick = <A>(...values: ReadonlyArray<A>): fc.Arbitrary<A> => fc.constantFrom(...values)

/** Few elements, so that they meet: the same ones, intervals within each other, ports with other containers. */
const elements = (where: Ns): fc.Arbitrary<NftElement> => {
  const bridge = pick('br0', 'br1').map(ifName)
  const last = pick(2, 3)
  return fc.oneof(
    bridge.map((name) => make.bridgeElement(where, name)),
    bridge.map((name) => make.withinElement(where, name)),
    fc
      .tuple(bridge, pick(...SUBNETS4, ...SUBNETS6))
      .map(([name, subnet]) => make.subnetElement(where, name, cidr(subnet))),
    pick(...SUBNETS4, ...SUBNETS6).map((subnet) => masquerade(where, subnet)),
    fc.tuple(pick(80, 81), last).map(([n, to]) => published(where, n, to)),
    fc
      .tuple(pick('192.0.2.1', '192.0.2.2'), last)
      .map(([host, to]) =>
        make.publishElement(where, { ip: ip(host), port: port(80) }, 'udp', { ip: ip(`10.0.0.${to}`), port: port(53) }),
      ),
  )
}

/** Operations of which many are refused; now and then the table is deleted or made. */
export const programs = (where: Ns): fc.Arbitrary<ReadonlyArray<KernelOp>> =>
  fc.array(
    fc.oneof(
      { weight: 8, arbitrary: elements(where).map(createOf) },
      { weight: 4, arbitrary: elements(where).map(deleteOf) },
      { weight: 1, arbitrary: fc.constant(createOf(table(where))) },
      { weight: 1, arbitrary: fc.constant(deleteOf(table(where))) },
    ),
    { maxLength: 24 },
  )
