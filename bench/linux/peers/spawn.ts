// Starting programs in a network namespace without a program in between that would enter it: a child is born where its parent's
// thread is.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { loadLibc } from '../../../src/kernel-linux/netlink/libc.ts'
import { closeNetns, openNetns } from '../../../src/kernel-linux/netlink/netns.ts'
import { within } from '../../../src/kernel-linux/netlink/thread.ts'
import { right } from '../tidy.ts'

export const spawnIn = (
  path: string,
  file: string,
  args: ReadonlyArray<string>,
  options: SpawnOptions,
): ChildProcess => {
  const fd = right(openNetns({ path }))
  try {
    // Out of the terminal's sight: Ctrl-C is for the benchmark, which ends what it has started.
    return right(within(right(loadLibc()), fd, () => spawn(file, args, { detached: true, ...options })))
  } finally {
    closeNetns(fd)
  }
}

const text = async (stream: NodeJS.ReadableStream | null): Promise<string> => {
  let all = ''
  for await (const chunk of stream ?? []) all += chunk
  return all
}

/** Runs a program to its end and gives its output; throws with what it complained of. */
export const runIn = async (
  path: string,
  file: string,
  args: ReadonlyArray<string>,
  env: NodeJS.ProcessEnv,
  input: string,
): Promise<string> => {
  const child = spawnIn(path, file, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  // Who does not read to the end has said why.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${complaint}${output}`)
  return output
}
