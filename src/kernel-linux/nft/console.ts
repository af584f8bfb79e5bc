// The firewall through a long-lived `nft -i` for each namespace in use, where libnftables cannot be loaded: it spares starting a
// process for each transaction. A transaction is one line; behind it goes a line that is no command, whose error says that the one
// before is done. It reads from a pipe of ours, so it ends with this process, however that ends.
// A long line is slow to read and is printed again with every error, so what is long goes to a process of its own (tool.ts).

import { execa } from 'execa'
import type { KernelError } from '../../kernel/kernel.ts'
import { E, type Either } from '../../prelude.ts'
import { noNamespace } from '../errno.ts'
import type { Firewall } from '../firewall.ts'
import { limitOf } from '../limit.ts'
import { absent, type Paths, portError } from '../place.ts'
import { type Run, searchPath, unavailable } from '../run.ts'
import { type Attempt, carryOut } from './carry-out.ts'
import { keeping } from './kept.ts'
import { attemptIn, throughNft } from './tool.ts'

type Console = Readonly<{
  /** What was said against a line; null: nothing. */
  ask: (line: string) => Promise<Either<KernelError, string | null>>
  works: () => boolean
  end: () => Promise<void>
}>

/** Operations in one line, at most. */
const FEW = 16

/** nft begins every complaint with this; the last one is about the line that is no command. */
const COMPLAINT = 'Error:'

const consoleIn = (path: string | null): Console => {
  const [file, ...args] = path === null ? ['nft', '-i'] : ['nsenter', `--net=${path}`, '--', 'nft', '-i']
  const child = execa(file, args, {
    reject: false,
    buffer: false,
    // It keeps the history of what it read in its user's home.
    env: { LC_ALL: 'C', PATH: searchPath(), HOME: '/nonexistent' },
    detached: true,
  })
  let heard = ''
  let lines = 0
  let alive = true
  let over = false
  let listener: () => void = () => {}
  child.stdin.on('error', () => {})
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    heard += text
    listener()
  })
  child.once('exit', () => {
    alive = false
  })
  // Later than its exit: when all it said is heard.
  const ended = child.then(() => {
    alive = false
    over = true
    listener()
  })
  return {
    ask: (line) =>
      new Promise((resolve) => {
        heard = ''
        lines += 1
        const mark = `done${lines}`
        listener = () => {
          const at = heard.search(new RegExp(`^${mark}\\n *\\^+\\n`, 'm'))
          const said = heard.slice(0, at < 0 ? undefined : heard.lastIndexOf(COMPLAINT, at)).trim()
          if (at >= 0) resolve(E.right(said === '' ? null : said))
          else if (over && noNamespace(said)) resolve(E.right(said))
          else if (over) resolve(E.left(unavailable(`nft ended before it was done: ${said}`)))
        }
        child.stdin.write(`${line}\n${mark}\n`)
        if (over) listener()
      }),
    works: () => alive,
    end: async () => {
      child.stdin.end()
      await ended
    },
  }
}

/** A script in one line. */
export const oneLine = (text: string): string => text.trimEnd().replaceAll('{\n', '{ ').replaceAll('\n', '; ')

/** `where`: how `run` calls namespaces. */
export const throughConsole = (run: Run, where: Paths, paths: Paths): Firewall => {
  const byTool = throughNft(run, where)
  const kept = keeping<Console>(limitOf(1), {
    open: (path) => E.right(consoleIn(path)),
    works: (console) => console.works(),
    end: (console) => console.end(),
  })
  return {
    look: byTool.look,
    run: async (ns, ops) => {
      const long = attemptIn(run, where(ns))
      const ran = await kept.use(paths(ns), true, (console) => {
        const attempt: Attempt = (script, again) =>
          script.ops.length > FEW ? long(script, again) : console.ask(oneLine(script.text))
        return carryOut(attempt, ops)
      })
      if (E.isRight(ran)) return ran.right
      const complaint = absent(ran.left)
      return complaint === null ? E.left(portError('nft', ran.left)) : E.right(ops.map((_, at) => ({ at, complaint })))
    },
    vacate: (ns) => kept.vacate(paths(ns)),
    close: kept.close,
  }
}
