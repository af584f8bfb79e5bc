// What callers of one engine see, with every answer of store and kernel as late as the scheduler likes, as histories for the
// checker: it says of the answers alone, without looking inside, whether they can have come one after the other. Nobody reads
// `model()` here: while a turn is under way it shows what may yet be taken back.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { type Answer, type Engine, freshEngine } from '../src/engine/engine.ts'
import { check } from '../src/history/check.ts'
import { explain } from '../src/history/explain.ts'
import { type Recorder, recorder } from '../src/history/record.ts'
import { showExplanation } from '../src/history/show.ts'
import type { Spec } from '../src/history/spec.ts'
import { OBJECTS, type ObjectIn, type ObjectOut } from '../src/history/specs/objects.ts'
import { type PoolIn, type PoolOut, poolSpec } from '../src/history/specs/pool.ts'
import type { CnmError } from '../src/model/error.ts'
import { showIp } from '../src/net/ip.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { createEndpoint, createNetwork, end, net, pool, v4 } from '../test/lib/model.ts'
import { operationsIn } from '../test/lib/planted.ts'
import { runs } from '../test/lib/runs.ts'
import { answeringLate, failingOnce } from './lib/faults.ts'
import { faultySim, type TestKernel } from './lib/kernels.ts'

type Late = Readonly<{ kernel: TestKernel; engine: Engine; failNext: (n: number) => void }>

const lateEngine = (scheduler: fc.Scheduler): Late => {
  const kernel = faultySim()
  const failing = failingOnce({ kernel, store: memoryStore() })
  const breathe = (): Promise<void> => scheduler.schedule(Promise.resolve(), 'the engine breathes')
  const engine = freshEngine({ ...answeringLate(failing, scheduler), breathe, check: true })
  return { kernel, engine, failNext: failing.failNext }
}

/** What an answer says; null where it only says that nothing happened. */
type Meaning<Out> = (error: CnmError) => Out | null

const record = async <In, Out>(
  log: Recorder<In, Out>,
  client: string,
  input: In,
  asked: () => Promise<Answer>,
  done: (events: Extract<Answer, { _tag: 'Right' }>['right']) => Out,
  meaning: Meaning<Out>,
): Promise<Out | null> => {
  const id = log.invoke(client, input)
  const answer = await asked()
  if (E.isLeft(answer) && answer.left.tag === 'Unavailable') {
    log.unknown(id)
    return null
  }
  const output = E.isLeft(answer) ? meaning(answer.left) : done(answer.right)
  if (output === null) log.fail(id)
  else log.ok(id, output)
  return output
}

const submitted =
  (engine: Engine, ...commands: Parameters<Engine['submit']>[0]) =>
  async (): Promise<Answer> => {
    const [answer] = await engine.submit(commands)
    if (answer === undefined) throw new Error('an answer for each command')
    return answer
  }

const expectLinearizable = <State, In, Out>(spec: Spec<State, In, Out>, log: Recorder<In, Out>): void => {
  const verdict = check(spec, operationsIn(log.history()))
  expect(verdict.tag, verdict.tag === 'violated' ? showExplanation(spec, explain(spec, verdict.group)) : '').toBe(
    'linearizable',
  )
}

/** Three callers; the n-th operation of the kernel that is refused, and the n-th call of it or the store that fails. */
const troubles = { refused: fc.nat(80), failed: fc.nat(40), scheduler: fc.scheduler() }
const callers = <A>(act: fc.Arbitrary<A>) => fc.array(fc.array(act, { maxLength: 5 }), { minLength: 2, maxLength: 3 })

describe('callers of one engine at once', () => {
  const act = fc.record({ do: fc.constantFrom('create', 'create', 'delete'), id: fc.nat(2), name: fc.nat(1) })

  test.prop([fc.record({ plans: callers(act), ...troubles })], runs(0.5))(
    'see networks made and deleted as in some order of one after the other (P9)',
    async ({ plans, refused, failed, scheduler }) => {
      const { kernel, engine, failNext } = lateEngine(scheduler)
      kernel.refuseNext(refused)
      failNext(failed)
      const log = recorder<ObjectIn, ObjectOut>()
      const meaning: Meaning<ObjectOut> = ({ tag }) => {
        if (tag === 'NetworkNameTaken' || tag === 'IdTaken') return 'exists'
        return tag === 'NotFound' ? 'absent' : null
      }
      const perform = async (client: string, each: (typeof plans)[number][number]): Promise<unknown> => {
        const [kind, id, name] = ['network', `${each.id}`, ['front', 'back'][each.name] ?? '']
        const done = (): ObjectOut => 'done'
        if (each.do === 'create') {
          const asked = submitted(engine, createNetwork(each.id, name))
          return record(log, client, { do: 'create', kind, id, name }, asked, done, meaning)
        }
        const asked = submitted(engine, { tag: 'DeleteNetwork', id: net(each.id) })
        return record(log, client, { do: 'delete', kind, id }, asked, done, meaning)
      }
      const call = async (plan: (typeof plans)[number], n: number): Promise<void> => {
        for (const each of plan) await perform(`c${n}`, each)
      }
      await scheduler.waitFor(Promise.all(plans.map(call)))
      expectLinearizable(OBJECTS, log)
    },
  )

  const ADDRESSES = [2, 3, 4, 5, 6].map((n) => `172.20.0.${n}`)
  const POOL = poolSpec(() => ADDRESSES)
  const wish = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ do: 'allocate' as const }) },
    { weight: 1, arbitrary: fc.constantFrom(...ADDRESSES).map((ip) => ({ do: 'take' as const, ip })) },
    { weight: 2, arbitrary: fc.constant({ do: 'release' as const }) },
  )

  test.prop([fc.record({ plans: callers(wish), ...troubles })], runs(0.5))(
    'are never given an address that another has, and are refused one only while it is taken (P1)',
    async ({ plans, refused, failed, scheduler }) => {
      const { kernel, engine, failNext } = lateEngine(scheduler)
      const base = { ...createNetwork(0, 'base'), pools: [pool('172.20.0.0/29', '172.20.0.1')] }
      await scheduler.waitFor(engine.submit([base]))
      kernel.refuseNext(refused)
      failNext(failed)
      const log = recorder<PoolIn, PoolOut>()
      const call = async (plan: (typeof plans)[number], n: number): Promise<void> => {
        const client = `c${n}`
        const has: Array<Readonly<{ id: number; ip: string }>> = []
        const make = async (id: number, ip: string | null): Promise<void> => {
          const input: PoolIn = ip === null ? { do: 'allocate', pool: 'base' } : { do: 'take', pool: 'base', ip }
          let given = ''
          await record<PoolIn, PoolOut>(
            log,
            client,
            input,
            submitted(engine, createEndpoint(id, 0, `e${id}`, { ipv4: ip === null ? null : v4(ip) })),
            (events) => {
              const created = events.find((event) => event.tag === 'EndpointCreated')
              given = created?.endpoint.addresses.map(({ cidr }) => showIp(cidr.ip)).join() ?? ''
              has.push({ id, ip: given })
              return ip === null ? { ip: given } : 'done'
            },
            ({ tag }) => (tag === 'NoAddressLeft' ? 'full' : tag === 'IPAlreadyAllocated' ? 'taken' : null),
          )
        }
        for (const [i, each] of plan.entries()) {
          const oldest = has[0]
          if (each.do === 'allocate') await make(100 * n + i, null)
          else if (each.do === 'take') await make(100 * n + i, each.ip)
          else if (oldest !== undefined) {
            const input: PoolIn = { do: 'release', pool: 'base', ip: oldest.ip }
            const asked = submitted(engine, { tag: 'DeleteEndpoint', id: end(oldest.id), force: false })
            const output = await record<PoolIn, PoolOut>(
              log,
              client,
              input,
              asked,
              () => 'done',
              () => null,
            )
            if (output === 'done') has.shift()
          }
        }
      }
      await scheduler.waitFor(Promise.all(plans.map(call)))
      expectLinearizable(POOL, log)
    },
  )
})
