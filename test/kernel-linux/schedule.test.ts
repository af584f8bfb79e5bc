import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { diff } from '../../src/kernel/diff.ts'
import { bridgeElement, skeletonTable } from '../../src/kernel/firewall/elements.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { EMPTY_STATE, stateOf } from '../../src/kernel/state.ts'
import { FORWARD4 } from '../../src/kernel/sysctl.ts'
import { type Stage, type Step, schedule, stepsOf } from '../../src/kernel-linux/schedule.ts'
import { cidr } from '../../src/net/cidr.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'
import { TWO_NETWORKS } from './topology.ts'

const scheduled = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<Stage> => schedule(stepsOf(ops, (of) => of))

type Place = Readonly<{ step: Step; stage: number; batch: number; index: number }>

const placesOf = (stages: ReadonlyArray<Stage>): ReadonlyArray<Place> =>
  stages.flatMap((batches, stage) =>
    batches.flatMap(({ steps }, batch) => steps.map((step, index) => ({ step, stage, batch, index }))),
  )

/** Whether `a` is surely over when `b` begins. */
const isBefore = (a: Place, b: Place): boolean =>
  a.stage < b.stage || (a.stage === b.stage && a.batch === b.batch && a.index < b.index)

/** The devices an operation is about, each with its namespace. A veth is two; only its making and its end are about both. */
const devices = ({ verb, object }: KernelOp): ReadonlyArray<string> => {
  if (object.kind === 'port') return [`${object.ns} ${object.dev}`]
  if (object.kind !== 'link') return []
  const own = `${object.ns} ${object.name}`
  return object.spec.type === 'veth' && verb !== 'change'
    ? [own, `${object.spec.peer.ns} ${object.spec.peer.name}`]
    : [own]
}

const namespaces = (op: KernelOp): ReadonlyArray<string> => [
  op.object.ns,
  ...devices(op).map((device) => device.split(' ')[0] ?? ''),
]

/** Whether two operations must keep their order: written from the kernel's view, not from the scheduler's. */
const ordered = (a: KernelOp, b: KernelOp): boolean => {
  const deletesNetns = [a, b].some((op) => op.verb === 'delete' && op.object.kind === 'netns')
  if (deletesNetns) return true
  const firewalls = [a, b].filter(({ object }) => object.kind.startsWith('nft-')).length
  if (firewalls === 1 && ![a, b].some(({ object }) => object.kind === 'netns')) return false
  const sameGroup = a.object.kind === b.object.kind && (a.object.kind === 'link' || a.object.kind === 'port')
  return sameGroup
    ? devices(a).some((device) => devices(b).includes(device))
    : namespaces(a).some((of) => namespaces(b).includes(of))
}

const NAMESPACES = [HOST, ns('a'), ns('b')]
const anyNs = fc.constantFrom(...NAMESPACES)
const anyDev = fc.constantFrom('d1', 'd2', 'd3').map(ifName)

const base = { mac: mac(0x02_42_00_00_00_01), mtu: 1400, up: true } as const
const anyObject: fc.Arbitrary<KernelObject> = fc.oneof(
  fc.record({ ns: anyNs }).map(({ ns }) => ({ kind: 'netns', ns, at: null }) as const),
  fc
    .record({ ns: anyNs, name: anyDev, alias: fc.constantFrom(null, 'cnm:x') })
    .map((one) => ({ kind: 'link', ...base, ...one, spec: { type: 'bridge' } }) as const),
  fc
    .record({
      ns: anyNs,
      name: anyDev,
      alias: fc.constantFrom(null, 'cnm:x'),
      peer: fc.record({ ns: anyNs, name: anyDev }),
    })
    .map(({ peer, ...one }) => ({ kind: 'link', ...base, ...one, spec: { type: 'veth', peer } }) as const),
  fc
    .record({ ns: anyNs, dev: anyDev, isolated: fc.boolean() })
    .map((one) => ({ kind: 'port', ...one, bridge: ifName('br'), hairpin: false }) as const),
  fc.record({ ns: anyNs, dev: anyDev }).map((one) => ({ kind: 'address', ...one, cidr: cidr('10.0.0.1/24') }) as const),
  fc.record({ ns: anyNs }).map(({ ns }) => ({ kind: 'nft-table', ns, skeleton: 1 }) as const),
  fc
    .record({ ns: anyNs })
    .map(({ ns }) => ({ kind: 'sysctl', ns, name: FORWARD4, value: '1', otherwise: '0' }) as const),
)

const anyOps: fc.Arbitrary<ReadonlyArray<KernelOp>> = fc.array(
  fc.oneof(
    fc.record({ verb: fc.constantFrom('create', 'delete'), object: anyObject }),
    anyObject
      .filter((object) => object.kind === 'link')
      .map((object) => ({ verb: 'change', from: { ...object, up: false }, object }) as const),
  ),
  { maxLength: 30 },
)

describe('the schedule of any operations', () => {
  prop.prop([anyOps])('runs every command exactly once', (ops) => {
    const steps = stepsOf(ops, (of) => of)
    const seen = new Set(placesOf(schedule(steps)).map((place) => place.step))
    expect(placesOf(schedule(steps))).toHaveLength(steps.length)
    expect(seen).toEqual(new Set(steps))
  })

  prop.prop([anyOps])('keeps every order that matters', (ops) => {
    const places = placesOf(scheduled(ops))
    const firsts = ops.flatMap((op, at) => {
      const place = places.find((one) => one.step.at === at)
      return place === undefined ? [] : [{ op, at, place }]
    })
    for (const a of firsts)
      for (const b of firsts) if (a.at < b.at && ordered(a.op, b.op)) expect(isBefore(a.place, b.place)).toBe(true)
  })

  prop.prop([anyOps])('a command begins when the earlier ones of its operation are over', (ops) => {
    const places = placesOf(scheduled(ops))
    for (const a of places)
      for (const b of places) {
        const commands = a.step.at === b.step.at && a !== b
        if (commands) expect(a.stage).not.toBe(b.stage)
      }
  })

  prop.prop([anyOps])('has one process for a tool and a namespace in a stage', (ops) => {
    for (const stage of scheduled(ops)) {
      const keys = stage.map(({ tool, ns }) => `${tool} ${ns ?? ''}`)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })
})

describe('a veth is not deleted before what the list does to its other end', () => {
  const [far, near] = [ns('a'), HOST]
  const veth = { kind: 'link', ...base, alias: null, ns: near, name: ifName('d1') } as const
  const other = { kind: 'link', ...base, alias: null, ns: far, name: ifName('d2'), spec: { type: 'bridge' } } as const
  const to = (dev: string, of = near) => ({ type: 'veth', peer: { ns: of, name: ifName(dev) } }) as const
  const pair: ReadonlyArray<KernelOp> = [
    { verb: 'create', object: { ...veth, spec: to('d2', far) } },
    { verb: 'change', from: { ...other, up: false }, object: other },
  ]
  const wrong: KernelOp = { verb: 'delete', object: { ...veth, spec: to('d3') } }
  const stolen: KernelOp = { verb: 'create', object: { ...veth, name: ifName('d4'), spec: to('d1') } }

  test.each([
    ['also by who is wrong about that', [...pair, wrong]],
    ['also after somebody wanted it for an end of another', [...pair, stolen, wrong]],
  ])('%s', (_, ops) => {
    const places = placesOf(scheduled(ops))
    const change = places.find(({ step }) => step.at === 1)
    const last = places.find(({ step }) => step.at === ops.length - 1)
    if (change === undefined || last === undefined) throw new Error('both are scheduled')
    expect(isBefore(change, last)).toBe(true)
  })
})

test('a firewall that is replaced, with its elements, is one batch: it is one transaction', () => {
  const [table, bridge] = [skeletonTable(HOST), bridgeElement(HOST, ifName('br0'))]
  const stages = scheduled([
    { verb: 'delete', object: table },
    { verb: 'create', object: table },
    { verb: 'create', object: bridge },
  ])
  expect(stages.flat().map(({ tool, steps }) => [tool, steps.length])).toEqual([['nft', 3]])
})

describe('the schedule of a start', () => {
  test('of two networks takes two of `ip` in each container’s namespace', () => {
    const stages = scheduled(diff(EMPTY_STATE, stateOf(TWO_NETWORKS)))
    for (const of of ['web', 'api', 'db'])
      expect(stages.flat().filter(({ tool, ns: where }) => tool === 'ip' && where === of)).toHaveLength(2)
  })

  test('of a hundred containers takes no more processes in the host’s than of one', () => {
    const containers = (n: number): ReadonlyArray<KernelObject> => [
      ...TWO_NETWORKS,
      ...Array.from({ length: n }, (_, i) => ns(`c${i}`)).flatMap((of, i): ReadonlyArray<KernelObject> => {
        const dev = ifName(`v${i}`)
        const veth = { type: 'veth', peer: { ns: of, name: ifName('eth0') } } as const
        return [
          { kind: 'netns', ns: of, at: null },
          { kind: 'link', ns: HOST, name: dev, spec: veth, ...base, alias: 'cnm:x' },
          { kind: 'port', ns: HOST, dev, bridge: ifName('br-back'), isolated: true, hairpin: false },
        ]
      }),
    ]
    const inHost = (n: number): number =>
      scheduled(diff(EMPTY_STATE, stateOf(containers(n))))
        .flat()
        .filter((batch) => batch.ns === HOST).length
    expect(inHost(100)).toBe(inHost(1))
  })
})

test('what is on one device keeps its order, wherever it is: the device may carry one alone', () => {
  const on = (space: string): KernelObject => ({
    ...base,
    kind: 'link',
    ns: ns(space),
    name: ifName('eth0'),
    spec: { type: 'macvlan', below: { ns: HOST, name: ifName('d1') }, mode: 'passthru' },
    mac: mac(0),
    mtu: 0,
    alias: null,
  })
  const [gone, come] = placesOf(
    scheduled([
      { verb: 'delete', object: on('a') },
      { verb: 'create', object: on('b') },
    ]),
  )
  expect(gone !== undefined && come !== undefined && isBefore(gone, come)).toBe(true)
})
