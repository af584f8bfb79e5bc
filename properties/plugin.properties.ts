// What is promised of plugins, however they behave: late, twice, wrongly, with an error, never, and through restarts of ours.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { withPlugins } from '../src/drivers/remote/remote.ts'
import { renderAll } from '../src/drivers/render.ts'
import { type Answer, type Engine, openEngine } from '../src/engine/engine.ts'
import { CHECKPOINTS, readJournal, replay, TURNS } from '../src/engine/journal.ts'
import { objectsOf, unite } from '../src/kernel/state.ts'
import { loadModel } from '../src/model/codec.ts'
import type { Command } from '../src/model/command.ts'
import { decide } from '../src/model/decide.ts'
import { explain } from '../src/model/error.ts'
import { violations } from '../src/model/invariants.ts'
import { freshModel } from '../src/model/model.ts'
import { keyOf } from '../src/model/plugin/ledger.ts'
import { isRemote } from '../src/model/plugin/remote.ts'
import { wantedOfPlugins } from '../src/model/plugin/wanted.ts'
import type { Model } from '../src/model/types.ts'
import { HOST } from '../src/net/name.ts'
import { entriesOf, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import type { Store } from '../src/store/store.ts'
import { createEndpoint, createNetwork, join } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program } from './arbitraries/commands.ts'
import { mutated } from './arbitraries/records.ts'
import { failingOnce } from './lib/faults.ts'
import { faultySim, type TestKernel } from './lib/kernels.ts'
import { calm, type FakePlugin, fakePlugin, fakeTime, type Manner, type Time } from './lib/plugin.ts'
import { facts, storedForm, wantedFacts } from './lib/states.ts'

const PLUGINS = ['weave', 'cilium']
const drivers = withPlugins(DRIVERS, PLUGINS)

type World = Readonly<{
  time: Time
  kernel: TestKernel
  store: Store
  /** The n-th call of the kernel or the store from now cannot be made. */
  failNext: (n: number) => void
  plugins: ReadonlyArray<FakePlugin>
  engine: () => Engine
  /** The process dies, and another starts: what it waited for, nobody waits for any more. */
  restart: () => Promise<void>
}>

const DEADLINE_MS = 30_000

const begin = async (): Promise<World> => {
  const [time, kernel, store] = [fakeTime(), faultySim(), memoryStore()]
  const below = failingOnce({ kernel, store })
  const plugins = PLUGINS.map(() => fakePlugin(time))
  let kill = (): void => {}
  let engine: Engine

  const start = async (): Promise<Engine> => {
    let alive = true
    kill = () => {
      alive = false
    }
    const mortal =
      <A>(task: () => Promise<A>) =>
      (): Promise<A> =>
        alive ? task() : new Promise(() => {})
    const opened = await openEngine({
      kernel: { ...below.kernel, apply: (ops) => mortal(below.kernel.apply(ops)) },
      store: { ...below.store, transact: (transaction) => mortal(below.store.transact(transaction)) },
      drivers,
      plugins: new Map(PLUGINS.map((name, i) => [name, (request) => mortal(plugins[i]?.plugin(request) as never)])),
      after: time.after,
      callDeadlineMs: DEADLINE_MS,
      // Time passes when we say so, and not while the engine lets others have their turn (concurrency.properties.ts does).
      breathe: () => Promise.resolve(),
      checkpointTurns: 5,
      check: true,
    })
    if (E.isLeft(opened)) throw new Error(explain(opened.left))
    return opened.right
  }

  engine = await start()
  return {
    time,
    kernel,
    store,
    failNext: below.failNext,
    plugins,
    engine: () => engine,
    restart: async () => {
      kill()
      for (const each of plugins) each.hangUp()
      below.failNext(Number.POSITIVE_INFINITY)
      kernel.refuseNext(null)
      engine = await start()
    },
  }
}

/** From now on the plugins are well; and all that is to come, comes. */
const recover = async ({ plugins, time, kernel, failNext, engine }: World): Promise<void> => {
  for (const each of plugins) each.behave(() => ({ how: 'well' }))
  kernel.refuseNext(null)
  failNext(Number.POSITIVE_INFINITY)
  for (let n = 0; n < 12; n++) await time.pass(60_000)
  await engine().sweep()
  await calm()
}

const held = (plugins: ReadonlyArray<FakePlugin>): ReadonlyArray<unknown> =>
  plugins
    .flatMap((each, i) => [...each.holds()].map(([key, creation]) => ({ key, plugin: PLUGINS[i], creation })))
    .sort((a, b) => (a.key < b.key ? -1 : 1))

const wanted = (model: Model): ReadonlyArray<unknown> =>
  wantedOfPlugins(model)
    .map(({ plugin, creation }) => ({ key: keyOf(creation), plugin, creation }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))

const noted = (model: Model): ReadonlyArray<unknown> =>
  [...entriesOf(model.ledger.calls)].map(([key, { plugin, creation, state }]) => ({ key, plugin, creation, state }))

/** Everything that should be so when nothing is under way. */
const expectSettled = async ({ engine, plugins, kernel, store }: World): Promise<void> => {
  const model = engine().model()
  expect(plugins.flatMap((each) => each.complaints())).toEqual([])
  expect(held(plugins)).toEqual(wanted(model))
  expect(noted(model)).toEqual(wanted(model).map((each) => ({ ...(each as object), state: 'there' })))
  expect(violations(model)).toEqual([])
  const whole = unite(renderAll(drivers, model).map(({ fragment }) => fragment))
  if (E.isLeft(whole)) throw new Error(`clash on ${whole.left.key}`)
  expect(objectsOf(engine().wanted())).toEqual(objectsOf(whole.right))
  expect(facts(kernel.objects(engine().wanted()))).toEqual(wantedFacts(whole.right))
  const listed = await store.list('')()
  if (E.isLeft(listed)) throw new Error(listed.left.tag)
  const { entries } = listed.right
  expect(loadModel(freshModel(), entries, drivers)).toEqual(E.right(model))
  const journal = readJournal(entries.filter(({ key }) => key.startsWith(CHECKPOINTS) || key.startsWith(TURNS)))
  if (E.isLeft(journal)) throw new Error(journal.left)
  expect(E.map((end: Model) => storedForm(end))(replay(drivers, journal.right))).toEqual(E.right(storedForm(model)))
}

const remotely = (each: Command, driver: string | null): Command =>
  each.tag === 'CreateNetwork' && each.driver === 'bridge' && each.configOnly !== true && driver !== null
    ? { ...each, driver }
    : each

const remote = fc.constantFrom(...PLUGINS, ...PLUGINS, null)
const remoteCommand = fc.tuple(command, remote).map(([each, driver]) => remotely(each, driver))
const taking = command.filter(({ tag }) => tag.startsWith('Delete') || tag === 'Leave')
const remoteProgram = fc
  .tuple(program, fc.array(remote, { minLength: 4, maxLength: 4 }))
  .map(([commands, as]) => commands.map((each, i) => remotely(each, as[i % as.length] ?? null)))

const manner: fc.Arbitrary<Manner> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ how: 'well' as const }) },
  { weight: 2, arbitrary: fc.record({ how: fc.constant('late' as const), ms: fc.constantFrom(10, 5_000, 40_000) }) },
  {
    weight: 4,
    arbitrary: fc.record({ how: fc.constantFrom('error', 'wrong', 'never', 'down'), done: fc.boolean() }),
  },
)

/** What plugins would be asked for next: another network, an endpoint on each of theirs, a join of each that is free. */
const asksOf = (model: Model): ReadonlyArray<Command> => {
  const remotes = valuesOf(model.networks).filter(isRemote)
  const free = valuesOf(model.endpoints).filter(
    ({ network, attachment }) => attachment === null && remotes.some(({ id }) => id === network),
  )
  const rooms = valuesOf(model.sandboxes).filter(({ ns }) => ns !== HOST)
  return [
    createNetwork(7, 'another', { driver: 'weave' }),
    ...remotes.map(({ id }, i) => ({ ...createEndpoint(i, 0, 'another'), network: id })),
    ...free.flatMap(({ id }) => rooms.map((room) => ({ ...join(0, 0), endpoint: id, sandbox: room.id }))),
  ].filter((each) => E.isRight(decide(drivers, model, each)))
}

type Act = Readonly<
  | { act: 'submit'; commands: ReadonlyArray<Command> }
  | { act: 'pass'; ms: number }
  | { act: 'repeat'; nth: number }
  /** The kernel refuses one operation; the kernel or the store cannot be asked once. */
  | { act: 'refuse' | 'fail'; nth: number }
  | { act: 'restart' }
>
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('submit' as const),
      commands: fc.array(fc.oneof(remoteCommand, remoteCommand, taking), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('pass' as const), ms: fc.constantFrom(0, 1_000, 31_000) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('repeat' as const), nth: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('refuse' as const, 'fail' as const), nth: fc.nat(8) }),
  },
  { weight: 1, arbitrary: fc.constant({ act: 'restart' as const }) },
)

describe('a host with plugins', () => {
  test.prop([remoteProgram, fc.array(act, { maxLength: 12 }), fc.infiniteStream(manner)], runs(0.6))(
    'ends with plugins that hold exactly what the model says, whatever they did and whenever we died; nobody is left without an answer (P6, P7, P10)',
    async (commands, acts, manners) => {
      const world = await begin()
      const { time, plugins } = world
      for (const each of plugins) each.behave(() => manners.next().value ?? { how: 'well' })
      let unanswered = 0
      const defects: unknown[] = []
      const submit = (those: ReadonlyArray<Command>): void => {
        const engine = world.engine()
        unanswered += 1
        engine.submit(those).then(
          () => {
            if (engine === world.engine()) unanswered -= 1
          },
          (defect) => defects.push(defect),
        )
      }
      const half = commands.length >> 1
      submit(commands.slice(0, half))
      submit(commands.slice(half))
      for (const each of acts) {
        await time.pass(0)
        if (each.act === 'submit') submit(each.commands)
        if (each.act === 'pass') await time.pass(each.ms)
        if (each.act === 'refuse') world.kernel.refuseNext(each.nth)
        if (each.act === 'fail') world.failNext(each.nth)
        if (each.act === 'restart') {
          await world.restart()
          unanswered = 0
        }
        const said = plugins.flatMap((plugin) => plugin.said())
        const again = each.act === 'repeat' ? said[each.nth % said.length] : undefined
        if (again !== undefined) submit([again])
      }
      await recover(world)
      expect(defects).toEqual([])
      expect(unanswered).toBe(0)
      await expectSettled(world)
    },
  )

  const failure = manner.filter(({ how }) => how !== 'well' && how !== 'late')

  test.prop([remoteProgram, fc.nat(), failure], runs(0.6))(
    'is as if the command had never come, when a plugin does not do what it asks for (P6)',
    async (commands, nth, how) => {
      const world = await begin()
      await world.engine().submit(commands)
      const asks = asksOf(world.engine().model())
      const last = asks[nth % asks.length]
      if (last === undefined) throw new Error('a network can always be asked for')
      const [model, kernel] = [world.engine().model(), world.kernel.objects(world.engine().wanted())]
      for (const each of world.plugins) each.behave(() => how)
      let answer: Answer | undefined
      world
        .engine()
        .submit([last])
        .then(([only]) => {
          answer = only
        })
      await world.time.pass(DEADLINE_MS + 1)
      expect(answer).toMatchObject({ _tag: 'Left', left: { tag: expect.stringMatching(/^Plugin/) } })
      await recover(world)
      await expectSettled(world)
      expect(storedForm({ ...world.engine().model(), ledger: model.ledger })).toEqual(storedForm(model))
      expect(world.kernel.objects(world.engine().wanted())).toEqual(kernel)
    },
  )

  test.prop([remoteProgram], runs(0.5))(
    'can always be emptied, and then plugins hold nothing, however long they would not delete (P5, P8)',
    async (commands) => {
      const world = await begin()
      await world.engine().submit(commands)
      for (const each of world.plugins) each.behave(() => ({ how: 'error', done: false }))
      const { networks, endpoints, sandboxes } = world.engine().model()
      const away: ReadonlyArray<ReadonlyArray<Command>> = [
        valuesOf(sandboxes).map(({ id }): Command => ({ tag: 'DeleteSandbox', id })),
        valuesOf(endpoints).flatMap(
          ({ id, attachment }): ReadonlyArray<Command> =>
            attachment === null ? [{ tag: 'DeleteEndpoint', id, force: true }] : [],
        ),
        [...valuesOf(networks)]
          .sort((a, b) => Number(a.configOnly) - Number(b.configOnly))
          .map(({ id }): Command => ({ tag: 'DeleteNetwork', id, force: true })),
      ]
      for (const turn of away) {
        let answers: ReadonlyArray<Answer> = []
        world
          .engine()
          .submit(turn)
          .then((all) => {
            answers = all
          })
        await world.time.pass(0)
        expect(answers.filter(E.isRight)).toHaveLength(turn.length)
      }
      await recover(world)
      await expectSettled(world)
      expect(held(world.plugins)).toEqual([])
    },
  )

  test.prop([remoteProgram, fc.nat(20), fc.integer({ min: 1, max: 9 })], runs(0.6))(
    'takes news of a call that is not the present one for nothing (P6)',
    async (commands, answered, apart) => {
      const world = await begin()
      // Some calls are answered and some are not.
      let left = answered
      for (const each of world.plugins)
        each.behave(() => (left-- > 0 ? { how: 'well' } : { how: 'never', done: false }))
      world.engine().submit(commands)
      await calm()
      const model = world.engine().model()
      for (const [key, call] of entriesOf(model.ledger.calls))
        for (const number of [call.number - apart, call.number + apart]) {
          const late: Command = { tag: 'PluginAnswered', key, number, answer: null }
          const lost: Command = { tag: 'PluginFailed', key, number, failure: { kind: 'refused', why: 'no' } }
          for (const news of [late, lost]) expect(decide(drivers, model, news)).toEqual(E.right([]))
        }
    },
  )

  const mutations = fc.infiniteStream(mutated)
  test.prop([remoteProgram, fc.nat(), fc.nat(), mutations], runs(0.6))(
    'has a ledger that is refused when it was altered, or is a sound one',
    async (commands, cut, at, changes) => {
      const world = await begin()
      // Some calls are answered and some are not.
      let left = cut % 8
      for (const each of world.plugins)
        each.behave(() => (left-- > 0 ? { how: 'well' } : { how: 'never', done: false }))
      world.engine().submit(commands)
      await calm()
      const entries = storedForm(world.engine().model()).map(({ key, value }) => ({ key, value: value ?? '' }))
      const calls = entries.filter(({ key }) => key.startsWith('call/'))
      const entry = calls[at % calls.length]
      fc.pre(entry !== undefined)
      if (entry === undefined) return
      for (const change of changes.take(20)) {
        const altered = { ...entry, value: change(entry.value) }
        const others = entries.filter(({ key }) => key !== entry.key)
        const model = loadModel(freshModel(), [...others, altered], drivers)
        if (E.isLeft(model)) continue
        expect(violations(model.right)).toEqual([])
        const again = storedForm(model.right).find(({ key }) => key === entry.key)
        expect(JSON.parse(again?.value ?? '')).toEqual(JSON.parse(altered.value))
      }
    },
  )
})
