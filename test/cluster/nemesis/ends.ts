// What must hold when all are well again: every host knows what the store holds, and the kernels hold what the hosts want; and when
// everything was deleted, nothing of it is left.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Ground } from './ground.ts'
import type { Agent, Machine } from './machine.ts'
import { HOSTS } from './plan.ts'
import type { Listed, Looked } from './protocol.ts'

export type World = Readonly<{
  ground: Ground
  machines: ReadonlyMap<string, Machine>
  agents: ReadonlyMap<string, Agent>
  watcher: Agent
}>

const PATIENCE_MS = 60_000
const EVERY_MS = 100

type Shared = Readonly<Record<string, string>>
const differing = (who: string, known: Shared, there: Shared): ReadonlyArray<string> =>
  [...new Set([...Object.keys(known), ...Object.keys(there)])].flatMap((key) => {
    if (known[key] === there[key]) return []
    return [`host ${who} has ${key} as ${known[key] ?? 'absent'}, the store as ${there[key] ?? 'absent'}`]
  })

/** Sentences about what is not in order at this moment. */
const disorder = async ({ agents, watcher }: World): Promise<ReadonlyArray<string>> => {
  // Casts: what is answered to these questions (protocol.ts).
  const looks = await Promise.all(
    [...agents].map(async ([host, agent]) => [host, (await agent.ask({ ask: 'look' })) as Looked | null] as const),
  )
  const listed = (await watcher.ask({ ask: 'list' })) as Listed
  if (listed === null) return ['the store cannot be read']
  return [
    ...listed.wrong.map((why) => `in the store: ${why}`),
    ...HOSTS.filter((host) => !listed.present.includes(host)).map(
      (host) => `host ${host} is not there, says the store`,
    ),
    ...looks.flatMap(([host, looked]) => {
      if (looked === null) return [`host ${host} does not answer`]
      return [...looked.wrong.map((why) => `host ${host}: ${why}`), ...differing(host, looked.shared, listed.shared)]
    }),
  ]
}

const late = async (ms: number): Promise<ReadonlyArray<string>> => {
  await sleep(ms, undefined, { ref: false })
  return ['a host does not answer']
}

/** Null, as soon as all is in order; else what is not, after a long time. */
export const converged = async (world: World): Promise<ReadonlyArray<string> | null> => {
  const untilMs = performance.now() + PATIENCE_MS
  await Promise.race([
    Promise.all([...world.agents.values()].map((agent) => agent.opened())),
    sleep(PATIENCE_MS, undefined, { ref: false }),
  ])
  for (;;) {
    const wrong = await Promise.race([disorder(world), late(PATIENCE_MS)])
    if (wrong.length === 0) return null
    if (performance.now() > untilMs) return wrong
    await sleep(EVERY_MS)
  }
}

/** Has the hosts delete all that they have, and says what is left then. */
export const emptied = async (world: World): Promise<ReadonlyArray<string>> => {
  const { agents, ground } = world
  const cleaning = async ([host, agent]: readonly [string, Agent], shared: boolean): Promise<ReadonlyArray<string>> => {
    const cleaned = (await agent.ask({ ask: 'clean', shared })) as Looked | null // as above
    return (cleaned?.wrong ?? ['it does not answer']).map((why) => `host ${host}, when all is deleted: ${why}`)
  }
  const all = [...agents]
  const wrong = (await Promise.all(all.map((each) => cleaning(each, false)))).flat()
  const [first] = all
  if (first !== undefined) wrong.push(...(await cleaning(first, true)))
  wrong.push(...((await converged(world)) ?? []))
  const listed = (await world.watcher.ask({ ask: 'list' })) as Listed // as above
  wrong.push(...Object.keys(listed?.shared ?? {}).map((key) => `${key} is left in the store`))
  const left = await Promise.all(
    all.map(async ([host]) => (await ground.leftOn(host)).map((what) => `host ${host} has ${what} left`)),
  )
  return [...wrong, ...left.flat()]
}
