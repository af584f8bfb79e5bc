// The two ways to the running kernel, against each other: the same lists of operations, wrong ones among them, applied as a whole
// through iproute2 in one lab and through rtnetlink in another. The same are refused, with the same errno, and both labs hold the
// same, whichever of the two looks.

import { closeSync, openSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FOREIGN, NAMESPACES, program, RARE_KINDS, SYSCTLS } from '../../properties/arbitraries/ops.ts'
import type { Kernel, Refusal, Scope } from '../../src/kernel/kernel.ts'
import { kernelMade } from '../../src/kernel/normalise.ts'
import { type KernelObject, keyOf } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { commandsOf } from '../../src/kernel/print.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type LinuxKernel, linuxKernel } from '../../src/kernel-linux/linux.ts'
import { type Lab, labNames } from '../../src/kernel-linux/names.ts'
import { loadLibc } from '../../src/kernel-linux/netlink/libc.ts'
import { HERE, withinNew } from '../../src/kernel-linux/netlink/thread.ts'
import { cidr, contains, showCidr } from '../../src/net/cidr.ts'
import { mac, showMac } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { labOf, rightOf, TRANSPORTS, type TransportName } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { runs } from '../lib/runs.ts'

const SCOPE: Scope = { namespaces: NAMESPACES, sysctls: SYSCTLS }

/** Programs that run at the same time, each in labs of its own: a tool spends most of its time waiting. */
const LANES = 8

type Side = Readonly<{ lab: Lab; acts: LinuxKernel; looks: Readonly<Record<TransportName, LinuxKernel>> }>

const sideOf = (transport: TransportName, lane: number): Side => {
  const lab = labOf(ownLab(`pair${lane}-${transport}`))
  const names = labNames(lab)
  const looks = { iproute2: linuxKernel({ names }), netlink: linuxKernel({ names, transport: 'netlink' }) }
  return { lab, acts: looks[transport], looks }
}

const clear = async ({ lab, acts }: Side): Promise<void> => {
  await acts.settled()
  rightOf(await removeLab(lab))
}

const refusals = async (kernel: Kernel, ops: ReadonlyArray<KernelOp>): Promise<ReadonlyArray<Refusal>> => {
  const applied = await kernel.apply(ops)()
  if (E.isRight(applied)) return []
  if ('tag' in applied.left) throw new Error(applied.left.what)
  return applied.left
}

/** Which operations were refused, by their places, with what. Everybody has words of their own for it. */
const errnos = (refused: ReadonlyArray<Refusal>) => refused.map(({ at, errno }) => `${at} ${errno}`)
const words = (refused: ReadonlyArray<Refusal>) =>
  refused.map(({ at, errno, detail }) => `${at} ${errno}: ${detail}`).join('\n')

/** What a program names of what the kernel would draw: MACs, and the addresses that it makes of them. */
const namedIn = (ops: ReadonlyArray<KernelOp>): ReadonlySet<string> =>
  new Set(
    ops.flatMap(({ object }) =>
      object.kind === 'link' ? [showMac(object.mac)] : object.kind === 'address' ? [showCidr(object.cidr)] : [],
    ),
  )

const LINK_LOCAL = cidr('fe80::/64')

/**
 * Facts of an object, by its key. Which address the kernel makes of a drawn MAC, and whether before or after the MAC is changed, is
 * a matter of the moment at which it finds the other end up.
 */
const facts = (object: KernelObject, named: ReadonlySet<string>): ReadonlyArray<readonly [string, unknown]> => {
  const key = keyOf(object)
  if (object.kind === 'sysctl') return [[key, object.value]]
  if (object.kind === 'link' && !named.has(showMac(object.mac))) return [[key, { ...object, mac: 'drawn' }]]
  const made = object.kind === 'address' && contains(LINK_LOCAL, object.cidr.ip) && !named.has(showCidr(object.cidr))
  return made ? [] : [[key, object]]
}

const seen = async ({ looks }: Side, by: TransportName, ops: ReadonlyArray<KernelOp>) => {
  const named = namedIn(ops)
  return objectsOf(rightOf(await looks[by].observe(SCOPE)())).flatMap((object) => facts(object, named))
}

const sentence = (op: KernelOp, at: number): string =>
  `${at}: ${op.verb} ${commandsOf(op, (ns) => ns)
    .map(({ tool, ns, text }) => `${ns ?? ''}# ${tool} ${text.split('\n')[0]}`)
    .join('; ')}`

/** A namespace that nobody has a name for; it lives as long as its file is open. */
const newNamespace = (): number => rightOf(withinNew(rightOf(loadLibc()), () => openSync(HERE, 'r')))

/** A namespace is deleted as what it was made as: whether it lives on is not the kernel's to say. */
const claimed = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<KernelOp> => {
  const made = new Map<string, string | null>()
  return ops.map((op) => {
    const { verb, object } = op
    if (object.kind !== 'netns') return op
    if (verb === 'create' && !made.has(object.ns)) made.set(object.ns, object.at)
    if (verb !== 'delete') return op
    const at = made.get(object.ns) ?? null
    made.delete(object.ns)
    return { verb, object: { ...object, at } }
  })
}

/** Where a program adopts somebody else's namespaces, it is given ones that are there. */
const withForeign = async <A>(
  ops: ReadonlyArray<KernelOp>,
  use: (ops: ReadonlyArray<KernelOp>) => Promise<A>,
): Promise<A> => {
  const files = new Map(FOREIGN.map((at) => [at, newNamespace()]))
  const placed = <O extends KernelObject>(object: O): O =>
    object.kind === 'netns' && object.at !== null
      ? { ...object, at: `/proc/${process.pid}/fd/${files.get(object.at)}` }
      : object
  try {
    return await use(claimed(ops).map((op) => ({ ...op, object: placed(op.object) })))
  } finally {
    for (const fd of files.values()) closeSync(fd)
  }
}

/** What comes of a program: what was refused, and what either transport then sees. */
const outcome = async (side: Side, ops: ReadonlyArray<KernelOp>) => {
  await clear(side)
  return await withForeign(ops, async (placed) => {
    const refused = await refusals(side.acts, placed)
    // The other one does not know what is still being deleted behind.
    await side.acts.settled()
    return { refused, views: await Promise.all(TRANSPORTS.map((by) => seen(side, by, ops))) }
  })
}

/**
 * Without what is about addresses that the kernel makes of MACs that the program names: it makes them behind our backs, when it has
 * noticed that the other end is up.
 */
const withoutKernelMade = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<KernelOp> => {
  const macs = new Set(ops.flatMap(({ object }) => (object.kind === 'link' ? [object.mac] : [])))
  const isMade = (object: KernelObject): boolean =>
    object.kind === 'address' && object.dev !== LO && [...macs].some((each) => kernelMade(object, each, 'bridge'))
  return ops.filter(({ object }) => !isMade(object))
}

const agree = async (sides: ReadonlyArray<Side>, ops: ReadonlyArray<KernelOp>): Promise<void> => {
  const story = ops.map(sentence)
  const [one, two] = await Promise.all(sides.map((side) => outcome(side, ops)))
  if (one === undefined || two === undefined) throw new Error('two sides are compared')
  const said = `${TRANSPORTS[0]}:\n${words(one.refused)}\n${TRANSPORTS[1]}:\n${words(two.refused)}`
  expect({ story, refused: errnos(two.refused) }, said).toEqual({ story, refused: errnos(one.refused) })
  const [first, ...others] = [...one.views, ...two.views]
  for (const view of others) expect({ story, view }).toEqual({ story, view: first })
}

const veth = (peer: Readonly<{ ns: Ns; name: IfName }>) =>
  ({
    kind: 'link',
    ns: HOST,
    name: ifName('v0'),
    spec: { type: 'veth', peer },
    mac: mac(0x02_00_00_00_00_01),
    mtu: 1500,
    up: true,
    alias: null,
  }) as const
const end = { ns: ns('c1'), name: ifName('eth0') }
const endUp = { kind: 'link', ...end, spec: { type: 'bridge' }, mac: mac(1), mtu: 1500, up: true, alias: null } as const
const route = { kind: 'route', ns: end.ns, to: cidr('0.0.0.0/0'), via: null, dev: end.name, metric: 5 } as const
const spaces: ReadonlyArray<KernelOp> = [HOST, end.ns].map((of) => ({
  verb: 'create',
  object: { kind: 'netns', ns: of, at: null },
}))
const started: ReadonlyArray<KernelOp> = [
  ...spaces,
  { verb: 'create', object: veth(end) },
  { verb: 'change', from: { ...endUp, up: false }, object: endUp },
]

/** Programs that were once done differently. */
const KNOWN: ReadonlyArray<ReadonlyArray<KernelOp>> = [
  // Deleted by who is wrong about the other end, at the same time as what was done to that.
  [...started, { verb: 'delete', object: veth({ ns: HOST, name: ifName('v1') }) }],
  // The same, after a creation that was wrong about it and was refused.
  [
    ...started,
    { verb: 'create', object: { ...veth({ ns: HOST, name: ifName('v0') }), name: ifName('v1') } },
    { verb: 'delete', object: { ...endUp, ns: HOST, name: ifName('v0') } },
  ],
  // Refused, and its own alias with it, for what was refused behind it.
  [
    ...spaces,
    { verb: 'create', object: { ...veth({ ns: HOST, name: ifName('v0') }), name: ifName('v1'), alias: 'cnm:b' } },
    { verb: 'create', object: veth(end) },
  ],
  // The number of a device that had been deleted just before.
  [
    ...started,
    { verb: 'delete', object: veth(end) },
    { verb: 'delete', object: { ...route, ns: HOST, dev: ifName('v0') } },
  ],
  // The number of a device that had gone with a namespace.
  [...started, { verb: 'delete', object: { kind: 'netns', ns: HOST, at: null } }, { verb: 'delete', object: route }],
]

const { numRuns } = runs(0.1)

needs.kernel('iproute2 and rtnetlink', () => {
  test(`${numRuns} programs are refused the same and leave the same behind`, {
    timeout: 60_000 + numRuns * 3_000,
  }, async () => {
    const lanes = Array.from({ length: Math.min(LANES, numRuns) }, (_, lane) => lane)
    const { seed = Date.now() } = fc.readConfigureGlobal()
    await Promise.all(
      lanes.map(async (lane) => {
        const sides = TRANSPORTS.map((transport) => sideOf(transport, lane))
        const examples = lane === 0 ? KNOWN.map((ops): [KernelOp[]] => [[...ops]]) : []
        try {
          await fc.assert(
            fc.asyncProperty(program(25, RARE_KINDS), (ops) => agree(sides, withoutKernelMade(ops))),
            { seed: seed + lane, numRuns: Math.ceil(numRuns / lanes.length), endOnFailure: false, examples },
          )
        } finally {
          for (const side of sides) {
            await clear(side)
            for (const kernel of Object.values(side.looks)) await kernel.close()
          }
        }
      }),
    )
  })
})
