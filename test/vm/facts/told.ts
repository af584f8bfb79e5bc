// What a kernel tells of a story, and that as text, as it is recorded: the title, what is given, and each command with its answer and
// what changed, or each packet with how it ended and where it was seen. Beside an errno are the kernel's words, which are its own: `factsOf` leaves them out.

import type { Errno } from '../../../src/kernel/errno.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Account, Try } from '../../../src/kernel/traffic.ts'
import type { Ns } from '../../../src/net/name.ts'
import { isOfPackets, isTry, roomsOf, type Story } from './story.ts'
import { accountLines, changes, commandLine, endingWord, type Stacks, tryLine } from './telling.ts'

export type Step = Readonly<{ command: string; answer: string; words: string; changes: ReadonlyArray<string> }>
export type Told = Readonly<{ title: string; given: ReadonlyArray<string>; steps: ReadonlyArray<Step> }>

/** Null: done. */
export type Answer = Readonly<{ errno: Errno; detail: string }> | null

export type Kernel = Readonly<{
  /** Takes everything away, and makes these namespaces. */
  begin: (rooms: ReadonlyArray<Ns>) => Promise<void>
  ask: (request: Request) => Promise<Answer>
  attempt: (attempt: Try) => Promise<Account>
  /** Lets `REST_MS` pass. */
  rest: () => Promise<void>
  /** What it tells once that is `enough`; if it never is, what it tells when it is done with what comes by itself. */
  stacks: (enough: (seen: Stacks) => boolean) => Promise<Stacks>
}>

/** By then nobody waits any more for a neighbour who does not answer: it takes three questions, a second each. */
export const REST_MS = 3500

const isSame = (these: ReadonlyArray<string>, those: ReadonlyArray<string> | undefined): boolean =>
  those !== undefined && these.length === those.length && these.every((line, i) => line === those[i])

const begun = async (kernel: Kernel, story: Story): Promise<Stacks> => {
  await kernel.begin(roomsOf(story))
  for (const request of story.given) {
    const answer = await kernel.ask(request)
    if (answer !== null)
      throw new Error(`${story.title}: given ${commandLine(request)}: ${answer.errno} ${answer.detail}`)
  }
  return kernel.stacks(() => false)
}

/** Requests are told by their answers alone. */
const tellPackets = async (kernel: Kernel, story: Story): Promise<Told> => {
  await begun(kernel, story)
  const told: Step[] = []
  for (const step of story.steps) {
    if (isTry(step)) {
      const account = await kernel.attempt(step)
      if (account.ending === 'silence') await kernel.rest()
      told.push({
        command: tryLine(step),
        answer: endingWord(account.ending),
        words: '',
        changes: accountLines(account),
      })
    } else {
      const answer = await kernel.ask(step)
      // What follows a change of carrier is done.
      await kernel.stacks(() => false)
      told.push({
        command: commandLine(step),
        answer: answer?.errno ?? 'done',
        words: answer?.detail ?? '',
        changes: [],
      })
    }
  }
  return { title: story.title, given: story.given.map(commandLine), steps: told }
}

/** `wanted`: what is waited for. */
export const tellStory = async (kernel: Kernel, story: Story, wanted: Told | null = null): Promise<Told> => {
  if (isOfPackets(story)) return tellPackets(kernel, story)
  const { title, given, steps } = story
  let before = await begun(kernel, story)
  const told: Step[] = []
  for (const [i, request] of steps.entries()) {
    if (isTry(request)) continue
    const answer = await kernel.ask(request)
    const then = before
    const after = await kernel.stacks((seen) => isSame(changes(then, seen), wanted?.steps[i]?.changes))
    told.push({
      command: commandLine(request),
      answer: answer?.errno ?? 'done',
      words: answer?.detail ?? '',
      changes: changes(then, after),
    })
    before = after
  }
  return { title, given: given.map(commandLine), steps: told }
}

/** Without the kernel's own words. */
export const factsOf = ({ title, given, steps }: Told) => ({
  title,
  given,
  steps: steps.map(({ command, answer, changes: lines }) => [command, answer, ...lines].join('\n')),
})

export const write = (stories: ReadonlyArray<Told>): string =>
  stories
    .map(({ title, given, steps }) =>
      [
        `# ${title}`,
        ...given.map((line) => `given ${line}`),
        ...steps.flatMap(({ command, answer, words, changes: lines }) => [
          command,
          words === '' ? `  ${answer}` : `  ${answer}: ${words}`,
          ...lines.map((line) => `    ${line}`),
        ]),
        '',
      ].join('\n'),
    )
    .join('\n')

const stepOf = ([command = '', answered = '', ...lines]: ReadonlyArray<string>): Step => {
  const [, answer = '', words = ''] = /^ {2}(\w+)(?:: (.*))?$/.exec(answered) ?? []
  return { command, answer, words, changes: lines.map((line) => line.trimStart()) }
}

/** A line that is not indented begins a step. */
const stepsIn = (lines: ReadonlyArray<string>): ReadonlyArray<Step> => {
  const starts = lines.flatMap((line, i) => (line.startsWith(' ') ? [] : [i]))
  return starts.map((start, i) => stepOf(lines.slice(start, starts[i + 1] ?? lines.length)))
}

/** What `write` wrote. */
export const read = (text: string): ReadonlyArray<Told> =>
  text
    .split(/^# /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...lines] = part.trimEnd().split('\n')
      const steps = lines.findIndex((line) => !line.startsWith('given '))
      return {
        title,
        given: lines.slice(0, steps).map((line) => line.slice('given '.length)),
        steps: stepsIn(lines.slice(steps)),
      }
    })
