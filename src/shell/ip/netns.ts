// `ip netns`. Source: ip-netns(8); iproute2 6.1, ip/ipnetns.c.

import { strerror } from '../../kernel/errno.ts'
import { type Ns, parseNs } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, shown } from '../context.ts'
import { type Done, failed, notHere, printed, QUIET, type Read, refuse } from '../done.ts'
import type { Words } from '../match.ts'
import { field, text } from '../piece.ts'
import { asking, type Talk } from '../terminal.ts'
import { spacesBehind } from './link-show.ts'

const FILE = (name: string): string => `/run/netns/${name}`

const nameOf = (word: string): Read<Ns> => {
  const ns = parseNs(word)
  if (E.isRight(ns)) return ns
  return word === '' || word.includes('/') || word === '.' || word === '..' || word.length > 255
    ? refuse(255, `Invalid netns name "${word}"`)
    : E.left(notHere(`a namespace called "${word}"`))
}

export const noNamespace = (name: string): Done =>
  failed(255, `Cannot open network namespace "${name}": ${strerror.ENOENT}`)

/** One of these there are. */
export function* namespaceCalled(word: string): Talk<Ns | null> {
  const ns = parseNs(word)
  const all = yield* asking((terminal) => terminal.namespaces())
  return E.isRight(ns) && all.includes(ns.right) ? ns.right : null
}

export function* changeNetns(_: Context, verb: 'add' | 'delete', [word]: Words): Talk<Done> {
  if (word === undefined) return failed(1, 'No netns name specified')
  const ns = nameOf(word)
  if (E.isLeft(ns)) return ns.left
  const known = yield* namespaceCalled(word)
  // Whatever holds the shell's own namespace, it has no name that could be taken away.
  const deed = verb === 'add' ? 'create' : 'remove'
  if (verb === 'delete' && known === null)
    return failed(1, `Cannot remove namespace file "${FILE(word)}": ${strerror.ENOENT}`)
  const refusal = yield* asking((terminal) => terminal.ask({ ns: ns.right, ask: { on: 'netns', do: verb } }))
  return refusal === null
    ? QUIET
    : failed(1, `Cannot ${deed} namespace file "${FILE(word)}": ${strerror[refusal.errno]}`)
}

/** Those that links of this namespace lead to have a number here. */
export function* listNetns({ ns, options }: Context): Talk<Done> {
  const all = yield* asking((terminal) => terminal.namespaces())
  const numbered = spacesBehind((yield* lookAt(ns)).links, ns)
  return shown(
    options,
    all.map((one) => {
      const id = numbered.indexOf(one)
      return [field('name', one, '%'), ...(id < 0 ? [] : [field('id', id, ' (id: %)')]), text('\n')]
    }),
  )
}

export function* execIn({ run }: Context, [name, ...words]: Words): Talk<Done> {
  if (name === undefined) return failed(1, 'No netns name specified')
  if (words.length === 0) return failed(1, 'No command specified')
  const ns = yield* namespaceCalled(name)
  return ns === null ? noNamespace(name) : yield* run(ns, words)
}

export function* identify({ ns }: Context, words: Words): Talk<Done> {
  if (words.length > 0) return notHere('processes')
  const all = yield* asking((terminal) => terminal.namespaces())
  return printed(all.includes(ns) ? `${ns}\n` : '\n')
}
