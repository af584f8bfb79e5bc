// `ip tuntap`: taps come, go and are listed. Source: ip-tuntap(8); iproute2 6.1, ip/iptuntap.c (parse_args, do_add, do_del, print_tuntap).

import { strerror } from '../../kernel/errno.ts'
import type { TapRequest } from '../../kernel/rtnl/request.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, nameIn, shown } from '../context.ts'
import { absentHere, type Done, failed, notHere, QUIET, type Read, refuse } from '../done.ts'
import { garbage, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { field, text } from '../piece.ts'
import { asking, type Talk } from '../terminal.ts'

type TapWords = Readonly<{ dev: string | null; mode: 'tun' | 'tap' | null }>

const readMode = (word: string, { mode }: TapWords): Read<Partial<TapWords>> => {
  const asked = begins(word, 'tun') ? 'tun' : begins(word, 'tap') ? 'tap' : null
  if (asked === null) return refuse(255, `Unknown tunnel mode "${word}"`)
  return mode === null || mode === asked
    ? E.right({ mode: asked })
    : refuse(255, 'You managed to ask for more than one tunnel mode.')
}

const NAME_BYTES = 15
const isName = (word: string): boolean =>
  word !== '' && word.length <= NAME_BYTES && !/[/\s]/.test(word) && word !== '.' && word !== '..'
const readName =
  (key: 'dev' | 'name') =>
  (word: string): Read<Partial<TapWords>> =>
    isName(word)
      ? E.right({ dev: word })
      : refuse(255, `Error: argument "${word}" is wrong: "${key}" not a valid ifname`)

const KEYWORDS: ReadonlyArray<Keyword<TapWords>> = [
  { is: 'mode', short: true, take: readMode },
  ...['user', 'group', 'pi', 'one_queue', 'vnet_hdr', 'multi_queue'].map((is) => ({
    is,
    short: true,
    rest: () => absentHere(`ip tuntap ${is}`),
  })),
  { is: 'dev', short: true, take: readName('dev') },
]

const readBare = (words: Words, { dev }: TapWords): Taken<TapWords> => {
  const named = begins(words[0] ?? '', 'name')
  const word = words[named ? 1 : 0] ?? ''
  if (dev !== null) return garbage('name', word)
  const set = readName('name')(word)
  return E.isLeft(set) ? set : E.right({ set: set.right, left: words.slice(named ? 2 : 1) })
}

export function* changeTap({ ns }: Context, verb: TapRequest['do'], words: Words): Talk<Done> {
  const read = readWords<TapWords>(words, { dev: null, mode: null }, KEYWORDS, readBare)
  if (E.isLeft(read)) return read.left
  const { dev, mode } = read.right
  if (mode === null) return failed(1, 'You failed to specify a tunnel mode')
  if (mode === 'tun') return notHere('a tun device, which has no link layer; ask for mode tap')
  if (dev === null) return notHere('a tap whose name the kernel chooses')
  const name = nameIn(dev)
  if (name === null) return notHere(`a device called "${dev}"`)
  const refusal = yield* asking((terminal) => terminal.ask({ ns, ask: { on: 'tap', do: verb, dev: name } }))
  return refusal === null ? QUIET : failed(1, `ioctl(TUNSETIFF): ${strerror[refusal.errno]}`)
}

export function* showTaps({ ns, options }: Context): Talk<Done> {
  const { links } = yield* lookAt(ns)
  return shown(
    options,
    links
      .filter(({ kind }) => kind.kind === 'tap')
      .map(({ name }) => [
        field('ifname', name, '%: '),
        { key: 'flags', value: ['tap', 'persist'], text: 'tap persist' },
        text('\n'),
      ]),
  )
}
