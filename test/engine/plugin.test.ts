// Plugins by examples: what is asked of them, in which order, who waits, and what a failure, a restart or a late word comes to.
// The laws are in properties/plugin.properties.ts.

import { describe, expect, test, vi } from 'vitest'
import { faultySim } from '../../properties/lib/kernels.ts'
import { calm, fakePlugin, fakeTime, type Manner } from '../../properties/lib/plugin.ts'
import { storedForm } from '../../properties/lib/states.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { withPlugins } from '../../src/drivers/remote/remote.ts'
import { type Answer, type Engine, freshEngine, openEngine } from '../../src/engine/engine.ts'
import type { Turn } from '../../src/engine/journal.ts'
import { type PluginRequest, systemTime } from '../../src/engine/plugin/port.ts'
import type { Command } from '../../src/model/command.ts'
import { errorClass, explain, httpStatus } from '../../src/model/error.ts'
import { callAt, keyOf } from '../../src/model/plugin/ledger.ts'
import { entriesOf, sizeOfMap } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { createEndpoint, createNetwork, createSandbox, end, join, leave, net, pool } from '../lib/model.ts'

const DEADLINE_MS = 30_000
const drivers = withPlugins(DRIVERS, ['weave'])

const weave = (n: number, name: string, more: Parameters<typeof createNetwork>[2] = {}): Command =>
  createNetwork(n, name, { driver: 'weave', pools: [pool(`10.${n}.0.0/24`)], ...more })
const web = [weave(1, 'front'), createSandbox(1, 'web'), createEndpoint(1, 1, 'web'), join(1, 1)]

const sentence = (answer: Answer | undefined): string | null =>
  answer !== undefined && E.isLeft(answer) ? explain(answer.left) : null

const start = (store: Store = memoryStore()) => {
  const time = fakeTime()
  const plugin = fakePlugin(time)
  const options = {
    kernel: faultySim(),
    store,
    drivers,
    plugins: new Map([['weave', plugin.plugin]]),
    callDeadlineMs: DEADLINE_MS,
    after: time.after,
    check: true,
  }
  const engine = freshEngine(options)
  /** The answers so far of commands that may have to wait. */
  const ask = (commands: ReadonlyArray<Command>, of: Engine = engine): Array<Answer | undefined> => {
    const answers: Array<Answer | undefined> = commands.map(() => undefined)
    commands.forEach((each, i) => {
      of.submit([each]).then(([answer]) => {
        answers[i] = answer
      })
    })
    return answers
  }
  const methods = (): ReadonlyArray<string> => plugin.calls().map(({ body }) => body.Method)
  /** The plugin behaves so for calls of this method, and well for all others. */
  const when = (method: string, manner: Manner): void =>
    plugin.behave(({ body }: PluginRequest) => (body.Method === method ? manner : { how: 'well' }))
  return { ...options, engine, plugin, time, ask, methods, when }
}

const states = (engine: Engine): ReadonlyArray<string> =>
  [...entriesOf(engine.model().ledger.calls)].map(([, { creation, state }]) => `${creation.Method} ${state}`)

describe('a plugin', () => {
  test('is asked for a network, an endpoint and a join, one after the other, with all that was decided', async () => {
    const { engine, plugin, methods } = start()
    expect((await engine.submit(web)).map(sentence)).toEqual([null, null, null, null])
    expect(methods()).toEqual(['CreateNetwork', 'CreateEndpoint', 'Join'])
    expect(plugin.calls().map(({ body }) => body)).toEqual([
      {
        Method: 'CreateNetwork',
        NetworkID: net(1),
        Options: {
          'com.docker.network.generic': {},
          'com.docker.network.enable_ipv4': true,
          'com.docker.network.enable_ipv6': false,
          'com.docker.network.internal': false,
        },
        IPv4Data: [{ AddressSpace: 'LocalDefault', Pool: '10.1.0.0/24', Gateway: '10.1.0.1/24', AuxAddresses: {} }],
        IPv6Data: [],
      },
      {
        Method: 'CreateEndpoint',
        NetworkID: net(1),
        EndpointID: end(1),
        Interface: { Address: '10.1.0.2/24', AddressIPv6: '', MacAddress: '02:42:0a:01:00:02' },
        Options: { 'com.docker.network.endpoint.exposedports': [] },
      },
      { Method: 'Join', NetworkID: net(1), EndpointID: end(1), SandboxKey: '/run/netns/web' },
    ])
  })

  test('is told to delete in the opposite order', async () => {
    const { engine, methods, plugin } = start()
    await engine.submit(web)
    await engine.submit([
      { tag: 'DeleteEndpoint', id: end(1), force: true },
      { tag: 'DeleteNetwork', id: net(1) },
    ])
    expect(methods().slice(3)).toEqual(['Leave', 'DeleteEndpoint', 'DeleteNetwork'])
    expect(plugin.holds().size).toBe(0)
    expect(sizeOfMap(engine.model().ledger.calls)).toBe(0)
  })

  test('is asked nothing about networks that are not its own', async () => {
    const { engine, methods } = start()
    await engine.submit([createNetwork(1, 'front'), createSandbox(1, 'web'), createEndpoint(1, 1, 'web'), join(1, 1)])
    expect(methods()).toEqual([])
    expect(engine.model().ledger.last).toBe(0)
  })

  test('says what device a join brings, which is kept', async () => {
    const { engine } = start()
    await engine.submit(web)
    const joined = callAt(engine.model().ledger, `${net(1)}/${end(1)}/join`)?.joined
    expect(joined).toMatchObject({ device: 'plug0', prefix: 'eth', routes: [] })
  })

  test('is in the store before it is called', async () => {
    const store = memoryStore()
    const { engine, plugin } = start(store)
    const found: Array<string | undefined> = []
    plugin.behave((request) => {
      store
        .get(`call/${net(1)}`)()
        .then((entry) => found.push(E.isRight(entry) ? entry.right?.value : undefined))
      expect(request.id).toBe(`CreateNetwork/${net(1)}/1`)
      return { how: 'well' }
    })
    await engine.submit([weave(1, 'front')])
    expect(found).toEqual([expect.stringContaining('"state":"asked"')])
  })
})

describe('a slow plugin', () => {
  test('keeps its own caller waiting, and nobody else', async () => {
    const { time, when, ask } = start()
    when('CreateNetwork', { how: 'late', ms: 20_000 })
    const slow = ask([weave(1, 'front'), createEndpoint(1, 1, 'web')])
    const quick = ask([createNetwork(2, 'back'), createSandbox(2, 'db'), createEndpoint(2, 2, 'db'), join(2, 2)])
    await time.pass(19_999)
    expect(quick.every((answer) => answer !== undefined && E.isRight(answer))).toBe(true)
    expect(slow).toEqual([undefined, undefined])
    await time.pass(1)
    expect(slow.every((answer) => answer !== undefined && E.isRight(answer))).toBe(true)
  })

  test('may be waited for by so many callers and no more', async () => {
    const { when, ...options } = start()
    when('CreateNetwork', { how: 'never', done: false })
    const engine = freshEngine({ ...options, maxWaiting: 2 })
    const waiting = options.ask([weave(1, 'a'), weave(2, 'b')], engine)
    await calm()
    expect((await engine.submit([createNetwork(3, 'c')])).map(sentence)).toEqual([
      '2 commands are waiting already; try again later',
    ])
    await options.time.pass(DEADLINE_MS)
    expect(waiting.map(sentence)).not.toContain(null)
    expect((await engine.submit([createNetwork(3, 'c')])).map(sentence)).toEqual([null])
  })
})

describe('a call that fails', () => {
  test.for([
    [{ how: 'error', done: false }, 'plugin "weave" refused CreateEndpoint of endpoint "web": no', 500],
    [
      { how: 'wrong', done: true },
      'plugin "weave" refused CreateEndpoint of endpoint "web": its answer is wrong: it is no JSON object',
      500,
    ],
    [
      { how: 'never', done: true },
      'plugin "weave" did not answer CreateEndpoint of endpoint "web": nothing came in 30000 ms',
      503,
    ],
    [
      { how: 'down', done: false },
      'plugin "weave" did not answer CreateEndpoint of endpoint "web": nobody listens',
      503,
    ],
  ] as const)('takes back what asked for it, and says so: %j', async ([manner, words, status]) => {
    const { engine, plugin, time, when, ask, methods } = start()
    await engine.submit([weave(1, 'front'), createSandbox(1, 'web')])
    const before = storedForm(engine.model())
    when('CreateEndpoint', manner)
    const answers = ask([createEndpoint(1, 1, 'web'), join(1, 1)])
    await time.pass(DEADLINE_MS)
    expect(answers.map(sentence)).toEqual([words, words])
    const [first] = answers
    if (first === undefined || E.isRight(first)) throw new Error('it was not refused')
    expect(httpStatus[errorClass[first.left.tag]]).toBe(status)
    await time.pass(0)
    expect(methods()).toEqual(['CreateNetwork', 'CreateEndpoint', 'DeleteEndpoint'])
    expect([...plugin.holds().keys()]).toEqual([net(1)])
    const { ledger, ...after } = engine.model()
    expect(storedForm({ ...after, ledger: { ...ledger, last: 1 } })).toEqual(before)
  })

  test('hangs up on a plugin that does not answer in time', async () => {
    const { time, when, ask, plugin } = start()
    when('CreateNetwork', { how: 'never', done: false })
    ask([weave(1, 'front')])
    await time.pass(DEADLINE_MS - 1)
    expect(plugin.calls()[0]?.signal.aborted).toBe(false)
    await time.pass(1)
    expect(plugin.calls()[0]?.signal.aborted).toBe(true)
  })

  test('takes along what others have built on it since, and tells them why', async () => {
    const { engine, time, when, ask } = start()
    when('CreateNetwork', { how: 'never', done: false })
    const answers = ask(web)
    await time.pass(DEADLINE_MS)
    const why = 'plugin "weave" did not answer CreateNetwork of network "front": nothing came in 30000 ms'
    expect(answers.map(sentence)).toEqual([why, null, why, why])
    const { networks, endpoints } = engine.model()
    expect([sizeOfMap(networks), sizeOfMap(endpoints)]).toEqual([0, 0])
  })
})

describe('a deletion', () => {
  test('is done at once in the model, and is asked for again, later each time, until it is acknowledged', async () => {
    const { engine, time, when, ask, plugin, methods } = start()
    await engine.submit(web)
    when('Leave', { how: 'error', done: false })
    const answers = ask([leave(1, 1), { tag: 'DeleteEndpoint', id: end(1), force: false }])
    await time.pass(0)
    expect(answers.every((answer) => answer !== undefined && E.isRight(answer))).toBe(true)
    expect(sizeOfMap(engine.model().endpoints)).toBe(0)
    expect(states(engine)).toEqual(['CreateNetwork there', 'CreateEndpoint there', 'Join going'])
    const tries = () => methods().filter((method) => method === 'Leave').length
    const counted: number[] = []
    for (const ms of [0, 1_000, 2_000, 4_000]) {
      await time.pass(ms)
      counted.push(tries())
    }
    expect(counted).toEqual([counted[0], ...[1, 2, 3].map((n) => (counted[0] ?? 0) + n)])
    expect(new Set(plugin.calls().flatMap(({ id, body }) => (body.Method === 'Leave' ? [id] : []))).size).toBe(1)
    when('Leave', { how: 'well' })
    await time.pass(60_000)
    expect(states(engine)).toEqual(['CreateNetwork there'])
    expect([...plugin.holds().keys()]).toEqual([net(1)])
  })

  test('that is owed still is tried at once when somebody wants the place, who is told if it fails again', async () => {
    const { engine, time, when, ask } = start()
    await engine.submit([...web, createSandbox(2, 'db')])
    when('Leave', { how: 'error', done: false })
    await engine.submit([leave(1, 1)])
    const again = ask([join(1, 2)])
    await time.pass(0)
    expect(again.map(sentence)).toEqual(['plugin "weave" refused Leave of endpoint "web": no'])
    when('Leave', { how: 'well' })
    expect((await engine.submit([join(1, 2)])).map(sentence)).toEqual([null])
    expect(states(engine)).toEqual(['CreateNetwork there', 'CreateEndpoint there', 'Join there'])
  })
})

describe('an answer', () => {
  test('that comes late, twice, or for what is deleted since, changes nothing', async () => {
    const { engine, plugin } = start()
    await engine.submit(web)
    const heard: Turn[] = []
    engine.listen((turn) => heard.push(turn))
    const before = engine.model()
    for (const said of plugin.said()) expect(await engine.submit([said])).toEqual([E.right([])])
    expect(engine.model()).toBe(before)
    expect(heard).toEqual([])
    await engine.submit([leave(1, 1)])
    const left = engine.model()
    for (const said of plugin.said()) await engine.submit([said])
    expect(engine.model()).toBe(left)
  })

  test('of an earlier life of the same object says nothing of the present one', async () => {
    const { engine, plugin, when, time } = start()
    await engine.submit([weave(1, 'front')])
    const [first] = plugin.said()
    await engine.submit([{ tag: 'DeleteNetwork', id: net(1) }])
    when('CreateNetwork', { how: 'late', ms: 1_000 })
    engine.submit([weave(1, 'front')])
    await calm()
    if (first !== undefined) await engine.submit([first])
    expect(states(engine)).toEqual(['CreateNetwork asked'])
    await time.pass(1_000)
    expect(states(engine)).toEqual(['CreateNetwork there'])
  })
})

describe('a restart', () => {
  test.for([true, false])('sends again what is owed, under its old number (done before: %s)', async (done) => {
    const { engine, store, plugin, when, ask, time, ...options } = start()
    when('CreateEndpoint', { how: 'never', done })
    ask(web)
    await calm()
    expect(states(engine)).toEqual(['CreateNetwork there', 'CreateEndpoint asked'])
    plugin.hangUp()
    when('CreateEndpoint', { how: 'well' })
    const again = await openEngine({ ...options, store, after: fakeTime().after })
    if (E.isLeft(again)) throw new Error(explain(again.left))
    await calm()
    expect(states(again.right)).toEqual(['CreateNetwork there', 'CreateEndpoint there', 'Join there'])
    expect(plugin.calls().map(({ body, id }) => [body.Method, id.split('/').at(-1)])).toEqual([
      ['CreateNetwork', '1'],
      ['CreateEndpoint', '2'],
      ['CreateEndpoint', '2'],
      ['Join', '3'],
    ])
    expect([...plugin.holds().keys()]).toHaveLength(3)
    expect(plugin.complaints()).toEqual([])
  })

  test('without plugins calls nobody and keeps nobody waiting: so a journal can be replayed', async () => {
    const { engine, plugins: _, store: __, ...options } = start()
    const heard: Turn[] = []
    engine.listen((turn) => heard.push(turn))
    await engine.submit(web)
    await engine.submit([leave(1, 1)])
    const twin = freshEngine({ ...options, kernel: faultySim() })
    for (const { deeds } of heard) {
      const answers = await twin.submit(deeds.map(({ command }) => command))
      expect(answers).toEqual(deeds.map(({ events }) => E.right(events)))
    }
    expect(twin.model()).toEqual(engine.model())
  })
})

describe('an engine that closes', () => {
  test('answers those who wait for plugins, and leaves what else is owed to the next start', async () => {
    const { engine, when, ask, time, methods } = start()
    await engine.submit(web)
    when('Leave', { how: 'error', done: false })
    await engine.submit([leave(1, 1)])
    when('CreateNetwork', { how: 'late', ms: 5_000 })
    const answers = ask([weave(2, 'back')])
    await calm()
    const closed = engine.close()
    await time.pass(5_000)
    await closed
    expect(answers.map(sentence)).toEqual([null])
    const before = methods().length
    await time.pass(600_000)
    expect(methods()).toHaveLength(before)
  })
})

test('the time of the system rings once, unless it is told not to', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const rung: string[] = []
    systemTime(1_000, () => rung.push('first'))
    const forget = systemTime(1_000, () => rung.push('second'))
    forget()
    vi.advanceTimersByTime(999)
    expect(rung).toEqual([])
    vi.advanceTimersByTime(5_000)
    expect(rung).toEqual(['first'])
  } finally {
    vi.useRealTimers()
  }
})

test('every key of the ledger is that of what was asked for', async () => {
  const { engine } = start()
  await engine.submit(web)
  for (const [key, { creation }] of entriesOf(engine.model().ledger.calls)) expect(keyOf(creation)).toBe(key)
})
