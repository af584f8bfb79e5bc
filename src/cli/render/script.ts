// Kernel operations as a shell script that runs (POSIX sh). It runs in the namespace that plays the host; the others are
// named. What `cnm run --kernel linux` does is the same commands, in batches.

import type { NftTable } from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { type Command, commandsOf, type NsNames } from '../../kernel/print.ts'
import { HOST } from '../../net/name.ts'

/** A step of the story: what it is about, in words, and its operations. */
export type Chapter = Readonly<{ title: string; ops: ReadonlyArray<KernelOp> }>

const END = 'EOF'

const line = ({ tool, ns, text }: Command, name: NsNames): string => {
  if (ns === null || ns === HOST) return `${tool} ${text}`
  return tool === 'ip' || tool === 'bridge'
    ? `${tool} -n ${name(ns)} ${text}`
    : `nsenter --net=/run/netns/${name(ns)} ${tool} ${text}`
}

/** One transaction. */
const nftText = (commands: ReadonlyArray<Command>, name: NsNames): string => {
  const ns = commands[0]?.ns ?? null
  const enter = ns === null || ns === HOST ? '' : `nsenter --net=/run/netns/${name(ns)} `
  return [`${enter}nft -f - <<'${END}'`, ...commands.map(({ text }) => text), END].join('\n')
}

/** Whatever a file calls its things, a comment ends where its line does. */
const comment = (text: string): string => `# ${text.replace(/\p{Cc}/gu, '?')}`.trimEnd()

type Printed = Readonly<{ command: Command; alone: boolean }>

/**
 * A table is a transaction of its own: nft 1.0 refuses (EEXIST) to create the first interval of a set that the same
 * transaction made.
 */
const isTable = (object: KernelOp['object']): object is NftTable => object.kind === 'nft-table'

const chapterText = ({ title, ops }: Chapter, name: NsNames): string => {
  const printed = ops.flatMap((op) =>
    commandsOf(op, name).map((command): Printed => ({ command, alone: isTable(op.object) })),
  )
  const lines: string[] = []
  let open: Command[] = []
  const close = (): void => {
    if (open.length > 0) lines.push(nftText(open, name))
    open = []
  }
  for (const { command, alone } of printed) {
    if (command.tool !== 'nft' || alone || open[0]?.ns !== command.ns) close()
    if (command.tool === 'nft') open.push(command)
    else lines.push(line(command, name))
    if (alone) close()
  }
  close()
  return [comment(title), ...lines].join('\n')
}

/** `head`: lines of comment. The texts of operations are of safe characters, for only their parsers make them. */
export const script = (head: ReadonlyArray<string>, chapters: ReadonlyArray<Chapter>, name: NsNames): string =>
  [head.map(comment).join('\n'), ...chapters.map((chapter) => chapterText(chapter, name))].join('\n\n')

const PLAIN_WORD = /^[A-Za-z0-9_./:@%+=,-]+$/

/** A word as the shell reads it, for a comment: one line, whatever is in it. */
export const shellWord = (word: string): string => {
  const printable = word.replace(/\p{Cc}/gu, '?')
  return PLAIN_WORD.test(printable) ? printable : `'${printable.replaceAll("'", "'\\''")}'`
}
