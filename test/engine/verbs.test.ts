// What an engine offers beside obeying: looking ahead, looking at the kernel, telling, waiting, stopping, remembering.

import { describe, expect, test } from 'vitest'
import { faultySim, paperKernel } from '../../properties/lib/kernels.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { type Engine, freshEngine, openEngine } from '../../src/engine/engine.ts'
import { CHECKPOINTS, readJournal, replay, TURNS, type Turn } from '../../src/engine/journal.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { type KernelObject, keyOf } from '../../src/kernel/object.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { FORWARD4 } from '../../src/kernel/sysctl.ts'
import { encode } from '../../src/model/codec.ts'
import { explain } from '../../src/model/error.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName } from '../../src/net/name.ts'
import { getIn, sizeOfMap } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { box, createEndpoint, createNetwork, createSandbox, join, leave, net } from '../lib/model.ts'

const web = [createNetwork(1, 'front'), createSandbox(1, 'web'), createEndpoint(1, 1, 'web'), join(1, 1)]

const right = <A>(result: E.Either<Parameters<typeof explain>[0], A>): A => {
  if (E.isLeft(result)) throw new Error(explain(result.left))
  return result.right
}
const sentence = (answer: E.Either<Parameters<typeof explain>[0], unknown> | undefined): string | null =>
  answer !== undefined && E.isLeft(answer) ? explain(answer.left) : null

const entriesOf = async (store: Store, prefix: string) => {
  const listed = await store.list(prefix)()
  if (E.isLeft(listed)) throw new Error(listed.left.tag)
  return listed.right.entries
}

/** A kernel of which the next change ends the process, once told to. */
const mortalOf = (kernel: Kernel): Readonly<{ mortal: Kernel; kill: () => void }> => {
  let isAlive = true
  const apply: Kernel['apply'] = (ops) => (isAlive ? kernel.apply(ops) : () => Promise.reject(new Error('killed')))
  const kill = (): void => {
    isAlive = false
  }
  return { mortal: { ...kernel, apply }, kill }
}

describe('a preview', () => {
  test('tells the events and the operations, and does nothing', async () => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, check: true })
    const { events, ops } = right(await engine.preview(web))
    expect(events.map(({ tag }) => tag)).toEqual(['NetworkCreated', 'SandboxCreated', 'EndpointCreated', 'Joined'])
    expect(ops.length).toBeGreaterThan(5)
    expect(sizeOfMap(engine.model().networks)).toBe(0)
    expect(kernel.objects(EMPTY_STATE).filter(({ kind }) => kind === 'netns')).toEqual([])
  })

  test('tells exactly the operations that the commands lead to', async () => {
    const kernel = paperKernel()
    const engine = freshEngine({ kernel, check: true })
    const { ops } = right(await engine.preview(web))
    await engine.submit(web)
    expect(new Set(ops.map(({ object }) => keyOf(object)))).toEqual(new Set(kernel.objects(EMPTY_STATE).map(keyOf)))
  })

  test('tells the refusal of the first command that would be refused', async () => {
    const engine = freshEngine({ kernel: paperKernel() })
    expect(sentence(await engine.preview([createNetwork(1, 'front'), createNetwork(2, 'front')]))).toBe(
      'a network named "front" exists already',
    )
  })
})

describe('differences', () => {
  test('are none after a turn, and name what was taken away since', async () => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, check: true })
    await engine.submit(web)
    expect(right(await engine.differences())).toEqual([])
    const lost = kernel.objects(EMPTY_STATE).find((object) => object.kind === 'port')
    if (lost === undefined) throw new Error('there is no bridge port')
    await kernel.apply([{ verb: 'delete', object: lost }])()
    expect(right(await engine.differences()).map(({ verb, object }) => `${verb} ${keyOf(object)}`)).toEqual([
      `create ${keyOf(lost)}`,
    ])
    await engine.sweep()
    expect(right(await engine.differences())).toEqual([])
  })
})

describe('a listener', () => {
  test('hears each turn that changed something, in order, and nothing after it has stopped', async () => {
    const engine = freshEngine({ kernel: paperKernel(), check: true })
    const heard: Turn[] = []
    const stop = engine.listen((turn) => heard.push(turn))
    await engine.submit(web.slice(0, 2))
    await engine.submit([createNetwork(2, 'front')])
    await engine.submit(web.slice(2))
    stop()
    await engine.submit([leave(1, 1)])
    expect(heard.map(({ number, deeds }) => [number, ...deeds.map(({ command }) => command.tag)])).toEqual([
      [1, 'CreateNetwork', 'CreateSandbox'],
      [2, 'CreateEndpoint', 'Join'],
    ])
  })

  test('hears nothing of a command that was withdrawn', async () => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, check: true })
    const heard: Turn[] = []
    engine.listen((turn) => heard.push(turn))
    kernel.refuseNext(0)
    await engine.submit(web)
    expect(heard.flatMap(({ deeds }) => deeds.map(({ command }) => command.tag))).toEqual([
      'CreateNetwork',
      'CreateEndpoint',
    ])
  })
})

describe('waiting', () => {
  test('ends for commands that are cancelled before their turn', async () => {
    const engine = freshEngine({ kernel: paperKernel(), check: true })
    const cancel = new AbortController()
    const first = engine.submit(web)
    const second = engine.submit([createNetwork(2, 'back')], { signal: cancel.signal })
    cancel.abort()
    expect((await first).every(E.isRight)).toBe(true)
    expect((await second).map(sentence)).toEqual(['the command was cancelled before its turn came'])
    expect(sizeOfMap(engine.model().networks)).toBe(1)
  })

  test('ends with the turn of a command, however many more come', async () => {
    const kernel = paperKernel()
    const gates: Array<() => void> = []
    const apply: Kernel['apply'] = (ops) => async () => {
      await new Promise<void>((open) => gates.push(open))
      return kernel.apply(ops)()
    }
    const engine = freshEngine({ kernel: { ...kernel, apply } })
    const held = async (nth: number): Promise<() => void> => {
      for (;;) {
        const gate = gates[nth]
        if (gate !== undefined) return gate
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const first = engine.submit([createNetwork(1, 'front')])
    const open = await held(0)
    const second = engine.submit([createNetwork(2, 'back')])
    open()
    const openNext = await held(1)
    expect((await first).every(E.isRight)).toBe(true)
    openNext()
    expect((await second).every(E.isRight)).toBe(true)
  })

  test('is refused when too many wait', async () => {
    const engine = freshEngine({ kernel: paperKernel(), maxWaiting: 4, check: true })
    const first = engine.submit(web)
    const second = engine.submit([createNetwork(2, 'back')])
    expect((await second).map(sentence)).toEqual(['4 commands are waiting already; try again later'])
    expect((await first).every(E.isRight)).toBe(true)
    expect((await engine.submit([createNetwork(2, 'back')])).every(E.isRight)).toBe(true)
  })
})

describe('commands that come together', () => {
  const connect = [createEndpoint(2, 1, 'db'), join(2, 2)]
  const together = { together: true }
  const ready = async () => {
    const kernel = faultySim()
    const store = memoryStore()
    const engine = freshEngine({ kernel, store, check: true })
    await engine.submit([...web, createSandbox(2, 'db')])
    return { kernel, store, engine }
  }

  test('are all done', async () => {
    const { engine } = await ready()
    expect((await engine.submit(connect, together)).every(E.isRight)).toBe(true)
    expect(sizeOfMap(engine.model().endpoints)).toBe(2)
  })

  test('are none done when the model refuses one, and each is answered with its error', async () => {
    const { engine } = await ready()
    const before = engine.model()
    const answers = await engine.submit([createEndpoint(2, 1, 'db'), join(2, 2), join(2, 1)], together)
    expect(answers.map(sentence)).toEqual(Array(3).fill('endpoint "db" has been joined by sandbox "db" already'))
    expect(engine.model()).toBe(before)
  })

  test('are none done when the kernel refuses one; no store and no listener is left with a half', async () => {
    const { kernel, store, engine } = await ready()
    const [known, kept] = [engine.wanted(), await entriesOf(store, '')]
    const before = kernel.objects(known)
    const heard: Turn[] = []
    engine.listen((turn) => heard.push(turn))
    kernel.refuseNext(0)
    const answers = await engine.submit(connect, together)
    expect(new Set(answers.map(sentence)).size).toBe(1)
    expect(answers).toMatchObject([{ left: { tag: 'KernelRefused' } }, { left: { tag: 'KernelRefused' } }])
    expect(heard).toEqual([])
    expect(await entriesOf(store, '')).toEqual(kept)
    expect(kernel.objects(known)).toEqual(before)
  })

  test('do not take others of their turn along', async () => {
    const { kernel, engine } = await ready()
    const beside = [createNetwork(2, 'back'), leave(1, 1)]
    const { ops } = right(await engine.preview([...connect, ...beside]))
    kernel.refuseNext(ops.findIndex(({ verb, object }) => verb === 'create' && object.ns === 'db'))
    const [refused, others] = await Promise.all([engine.submit(connect, together), engine.submit(beside)])
    expect(refused.every(E.isLeft)).toBe(true)
    expect(others.every(E.isRight)).toBe(true)
    expect(sizeOfMap(engine.model().endpoints)).toBe(1)
    expect(sizeOfMap(engine.model().networks)).toBe(2)
    expect(right(await engine.differences())).toEqual([])
  })

  test('are cancelled all or none', async () => {
    const { engine } = await ready()
    const cancel = new AbortController()
    const waiting = engine.submit(connect, { ...together, signal: cancel.signal })
    cancel.abort()
    expect((await waiting).map(sentence)).toEqual(Array(2).fill('the command was cancelled before its turn came'))
    expect(sizeOfMap(engine.model().endpoints)).toBe(1)
  })
})

describe('an engine that closes', () => {
  test('answers what waits, takes nothing more, and lets go of the store', async () => {
    const store = memoryStore()
    const engine = freshEngine({ kernel: paperKernel(), store })
    const last = engine.submit(web)
    const closed = engine.close()
    expect((await engine.submit([createNetwork(2, 'back')])).map(sentence)).toEqual(['the engine is stopping'])
    expect((await last).every(E.isRight)).toBe(true)
    await closed
    expect(await store.get('a')()).toMatchObject({ _tag: 'Left', left: { tag: 'StoreClosed' } })
  })
})

describe('a journal', () => {
  const busy = async (engine: Engine): Promise<void> => {
    await engine.submit([createNetwork(1, 'front')])
    for (let n = 1; n <= 5; n++) {
      await engine.submit([createSandbox(n, `c${n}`), createEndpoint(n, 1, `c${n}`), join(n, n)])
      await engine.submit([{ tag: 'DeleteSandbox', id: box(n) }, createNetwork(1, 'refused')])
    }
  }

  test('replays to the model, whatever was checkpointed', async () => {
    for (const checkpointTurns of [1, 3, 100]) {
      const store = memoryStore()
      const engine = freshEngine({ kernel: paperKernel(), store, checkpointTurns })
      await busy(engine)
      const journal = readJournal([...(await entriesOf(store, CHECKPOINTS)), ...(await entriesOf(store, TURNS))])
      if (E.isLeft(journal)) throw new Error(journal.left)
      const replayed = replay(DRIVERS, journal.right)
      if (E.isLeft(replayed)) throw new Error(replayed.left.why)
      expect(encode(replayed.right.networks)).toBe(encode(engine.model().networks))
      expect(replayed.right).toEqual(engine.model())
    }
  })

  test('keeps a bounded number of turns', async () => {
    const store = memoryStore()
    await busy(freshEngine({ kernel: paperKernel(), store, checkpointTurns: 3 }))
    expect((await entriesOf(store, CHECKPOINTS)).length).toBe(1)
    expect((await entriesOf(store, TURNS)).length).toBeLessThanOrEqual(6)
  })

  test('goes on counting after a restart', async () => {
    const store = memoryStore()
    const kernel = paperKernel()
    await busy(freshEngine({ kernel, store, checkpointTurns: 100 }))
    const before = (await entriesOf(store, TURNS)).length
    const again = right(await openEngine({ kernel, store, checkpointTurns: 100 }))
    await again.submit([createNetwork(2, 'back')])
    expect((await entriesOf(store, TURNS)).map(({ key }) => Number(key.slice(TURNS.length))).at(-1)).toBe(before + 1)
  })

  test('that was altered is found out where it was', async () => {
    const store = memoryStore()
    await busy(freshEngine({ kernel: paperKernel(), store, checkpointTurns: 100 }))
    const entries = await entriesOf(store, TURNS)
    const altered = entries.map((entry, i) =>
      i === 3 ? { ...entry, value: entry.value.replace('"name":"c2"', '"name":"c9"') } : entry,
    )
    const journal = readJournal(altered)
    if (E.isLeft(journal)) throw new Error(journal.left)
    expect(replay(DRIVERS, journal.right)).toMatchObject({ _tag: 'Left', left: { turn: 4 } })
    const missing = readJournal(entries.filter((_, i) => i !== 2))
    if (E.isLeft(missing)) throw new Error(missing.left)
    expect(replay(DRIVERS, missing.right)).toMatchObject({ _tag: 'Left', left: { turn: 3 } })
  })
})

describe('a process that dies between its store and its kernel', () => {
  test('leaves links that do not bear our mark yet, which are finished at the next start', async () => {
    const kernel = faultySim()
    const store = memoryStore()
    await freshEngine({ kernel, store, check: true }).submit(web)
    const marked = kernel.objects(EMPTY_STATE).filter((object) => object.kind === 'link' && object.alias !== null)
    expect(marked.length).toBe(2)
    await kernel.apply(
      marked.flatMap((object) =>
        object.kind === 'link' ? [{ verb: 'change', from: object, object: { ...object, alias: null } } as const] : [],
      ),
    )()
    const again = right(await openEngine({ kernel, store, check: true }))
    expect(sizeOfMap(again.model().endpoints)).toBe(1)
    expect(right(await again.differences())).toEqual([])
    expect(kernel.objects(EMPTY_STATE)).toEqual(expect.arrayContaining(marked))
  })

  test("takes no stranger's link of a wanted name for one of its own", async () => {
    const store = memoryStore()
    await freshEngine({ kernel: faultySim(), store, check: true }).submit([
      createNetwork(1, 'front', { options: { name: 'shared0' } }),
    ])
    const kernel = faultySim()
    const stranger: KernelObject = {
      kind: 'link',
      ns: HOST,
      name: ifName('shared0'),
      spec: { type: 'bridge' },
      mac: mac(0x021234567890),
      mtu: 1500,
      up: true,
      alias: null,
    }
    await kernel.apply([{ verb: 'create', object: stranger }])()
    right(await openEngine({ kernel, store, check: true }))
    expect(kernel.objects(EMPTY_STATE)).toEqual(expect.arrayContaining([stranger]))
  })

  test('leaves no namespace behind, though the store has forgotten its sandbox', async () => {
    const kernel = faultySim()
    const store = memoryStore()
    const { mortal, kill } = mortalOf(kernel)
    const engine = freshEngine({ kernel: mortal, store, check: true })
    await engine.submit(web)
    kill()
    await expect(engine.submit([{ tag: 'DeleteSandbox', id: box(1) }])).rejects.toThrow('killed')
    const spaces = () => kernel.objects(EMPTY_STATE).filter(({ kind, ns }) => kind === 'netns' && ns !== HOST)
    expect(spaces()).toHaveLength(1)
    const again = right(await openEngine({ kernel, store, check: true }))
    expect(spaces()).toEqual([])
    expect(right(await again.differences())).toEqual([])
    await again.submit([createSandbox(1, 'web')])
    expect(spaces()).toHaveLength(1)
    expect(await entriesOf(store, 'condemned/')).toEqual([])
  })
})

describe('a sysctl of the host', () => {
  const forwarding = (value: string): KernelObject => ({
    kind: 'sysctl',
    ns: HOST,
    name: FORWARD4,
    value,
    otherwise: '0',
  })
  const valueIn = async (kernel: ReturnType<typeof faultySim>): Promise<unknown> => {
    const observed = await kernel.observe({ namespaces: [HOST], sysctls: [{ ns: HOST, name: FORWARD4 }] })()
    if (E.isLeft(observed)) throw new Error(observed.left.what)
    const found = getIn(observed.right, keyOf(forwarding('0')))
    return found?.kind === 'sysctl' ? found.value : null
  }

  test('goes back at the next start, if the process died before it did', async () => {
    const kernel = faultySim()
    await kernel.apply([{ verb: 'create', object: forwarding('1') }])()
    await kernel.apply([{ verb: 'change', from: forwarding('1'), object: forwarding('0') }])()
    const store = memoryStore()
    const { mortal, kill } = mortalOf(kernel)
    const engine = freshEngine({ kernel: mortal, store, check: true })
    await engine.submit([createNetwork(1, 'front')])
    kill()
    await expect(engine.submit([{ tag: 'DeleteNetwork', id: net(1) }])).rejects.toThrow('killed')
    expect(await valueIn(kernel)).toBe('1')
    const again = right(await openEngine({ kernel, store, check: true }))
    expect(await valueIn(kernel)).toBe('0')
    await again.close()
  })

  test.each(['0', '1'])('goes back to what it was before the first network: %s', async (own) => {
    const kernel = faultySim()
    await kernel.apply([{ verb: 'create', object: forwarding(own) }])()
    const store = memoryStore()
    const engine = freshEngine({ kernel, store, check: true })
    await engine.submit([createNetwork(1, 'front')])
    expect(await valueIn(kernel)).toBe('1')
    const again = right(await openEngine({ kernel, store, check: true }))
    await again.submit([{ tag: 'DeleteNetwork', id: net(1) }])
    expect(await valueIn(kernel)).toBe(own)
    await again.submit([createNetwork(2, 'back')])
    expect(await entriesOf(store, 'host/')).toHaveLength(1)
  })
})
