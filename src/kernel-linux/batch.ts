// Runs one batch and says which of its steps were refused. Each tool fails in its own way:
//   ip      names the input line and goes on, but gives up altogether on an argument it cannot resolve (a master or a peer
//           namespace that is not there) without saying where. So every command is followed by one that prints a line;
//           counting those lines shows where it stopped, and the rest is run again from there.
//   bridge  names the input line and goes on.
//   nsenter each is a process of its own.

import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import { batchComplaints, type Complaint, complaintOf, noNamespace } from './errno.ts'
import { NETNS_DIR } from './names.ts'
import { errnoOf } from './netlink/errno.ts'
import type { NetlinkError } from './netlink/error.ts'
import { adoptable, whyNotAdopted } from './netlink/netns.ts'
import type { Run } from './run.ts'
import type { Batch, Step } from './schedule.ts'

export type Refused = Readonly<{ step: Step; complaint: Complaint }>
type Outcome = Promise<Either<KernelError, ReadonlyArray<Refused>>>

const refuse = (steps: ReadonlyArray<Step>, complaint: Complaint): ReadonlyArray<Refused> =>
  steps.map((step) => ({ step, complaint }))

/** Prints one line that begins with `lo ` in every namespace, and changes nothing. */
const MARKER = 'link show dev lo'
const markersIn = (stdout: string): number => stdout.split('\n').filter((line) => line.startsWith('lo ')).length

const runIp = async (run: Run, real: string | null, steps: ReadonlyArray<Step>): Outcome => {
  const refused: Refused[] = []
  let rest = steps
  while (rest.length > 0) {
    const script = rest.map((step) => `${step.command.text}\n${MARKER}\n`).join('')
    const ran = await run(real, 'ip', ['-brief', '-force', '-batch', '-'], script)
    if (E.isLeft(ran)) return ran
    const { stdout, stderr } = ran.right
    if (noNamespace(stderr)) return E.right([...refused, ...refuse(rest, complaintOf(stderr))])
    const { lines, last } = batchComplaints(stderr)
    rest.forEach((step, i) => {
      const complaint = lines.get(2 * i + 1)
      if (complaint !== undefined) refused.push({ step, complaint })
    })
    const done = markersIn(stdout)
    refused.push(...refuse(rest.slice(done, done + 1), complaintOf(last)))
    rest = rest.slice(done + 1)
  }
  return E.right(refused)
}

const runBridge = async (run: Run, real: string | null, steps: ReadonlyArray<Step>): Outcome => {
  const script = steps.map((step) => `${step.command.text}\n`).join('')
  const ran = await run(real, 'bridge', ['-force', '-batch', '-'], script)
  if (E.isLeft(ran)) return ran
  const { status, stderr } = ran.right
  if (status === 0) return E.right([])
  const { lines, last } = batchComplaints(stderr)
  const seen = Math.max(0, ...lines.keys())
  const gaveUp = lines.size === 0 || last !== ''
  return E.right(
    steps.flatMap((step, i) => {
      const complaint = lines.get(i + 1) ?? (gaveUp && i >= seen ? complaintOf(last) : undefined)
      return complaint === undefined ? [] : [{ step, complaint }]
    }),
  )
}

const ofCall = (error: NetlinkError): Complaint => ({
  errno: error.tag === 'SystemCall' ? errnoOf(error.code) : 'EIO',
  detail: whyNotAdopted(error),
})

/** Names for namespaces of others, one by one: whether each may have one is found out when its turn comes. */
const runAdoptions = async (run: Run, steps: ReadonlyArray<Step>): Outcome => {
  const refused: Refused[] = []
  for (const step of steps) {
    const { command, op } = step
    if (command.tool !== 'nsenter' || op.object.kind !== 'netns') continue
    const may = adoptable(NETNS_DIR, op.object.at ?? '')
    const ran = E.isRight(may) ? await run(null, 'nsenter', command.words) : E.right(null)
    if (E.isLeft(ran)) return ran
    if (E.isLeft(may)) refused.push({ step, complaint: ofCall(may.left) })
    else if (ran.right !== null && ran.right.status !== 0)
      refused.push({ step, complaint: complaintOf(ran.right.stderr) })
  }
  return E.right(refused)
}

/** `real` is where it runs. Left: a tool could not be started. Right: the refused steps. */
export const runBatch = (run: Run, real: string | null, { tool, steps }: Batch): Outcome => {
  switch (tool) {
    case 'ip':
      return runIp(run, real, steps)
    case 'bridge':
      return runBridge(run, real, steps)
    case 'nsenter':
      return runAdoptions(run, steps)
    case 'nft':
    case 'sysctl':
      throw new Error(`${tool} has a means of its own (apply.ts)`)
  }
}
