// Somebody else's namespaces, for programs that adopt them: each place of a program is the namespace of a process that sleeps in it,
// made when it is first asked for, so that it is as fresh as the simulation has it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { KernelOp } from '../../src/kernel/op.ts'
import type { Ns } from '../../src/net/name.ts'

type Sleeper = Readonly<{ path: string; end: () => Promise<void> }>

/** A process in a namespace of its own; `echo` says that it is there. */
export const sleeper = async (): Promise<Sleeper> => {
  const child = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec sleep 600'])
  await once(child.stdout, 'data')
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return { path: `/proc/${child.pid}/ns/net`, end }
}

export type Foreign = Readonly<{
  /** The path of the namespace that stands for a place. */
  at: (place: string) => Promise<string>
  /** An operation as it is for this machine; a deletion says where what it deletes was adopted from, as `diff` does. */
  here: (op: KernelOp) => Promise<KernelOp>
  /** The operation was done. */
  done: (op: KernelOp) => void
  end: () => Promise<void>
}>

export const foreign = (): Foreign => {
  const sleepers = new Map<string, Promise<Sleeper>>()
  const adopted = new Map<Ns, string | null>()
  const at = async (place: string): Promise<string> => {
    const one = sleepers.get(place) ?? sleeper()
    sleepers.set(place, one)
    return (await one).path
  }
  return {
    at,
    here: async (op) => {
      const { object } = op
      if (object.kind !== 'netns' || op.verb === 'change') return op
      if (op.verb === 'delete') return { ...op, object: { ...object, at: adopted.get(object.ns) ?? null } }
      return object.at === null ? op : { ...op, object: { ...object, at: await at(object.at) } }
    },
    done: ({ verb, object }) => {
      if (object.kind === 'netns') adopted.set(object.ns, verb === 'create' ? object.at : null)
    },
    end: async () => {
      const all = [...sleepers.values()]
      sleepers.clear()
      for (const one of all) await (await one).end()
    },
  }
}
