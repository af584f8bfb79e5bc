// Every request as the one command that it is: `ip`, `bridge`, `sysctl`, and `nsenter` to give a namespace of others a name, as
// print.ts has it for operations. Names and addresses come from their parsers; what may be any text (an alias, a label, a
// sysctl's value, a path) is one word of `words`, which are given to the program as they are, and quoted in `text`.

import type { Ns } from '../../net/name.ts'
import { shellText } from '../shell-words.ts'
import { addressWords, fdbWords, neighbourWords, routeWords, ruleWords, type Words } from './address-words.ts'
import { deleteLinkWords, type NsWords, newLinkWords, portWords, setLinkWords, vlanWords } from './link-words.ts'
import type { Ask, Request } from './request.ts'

/** `ns` is where it runs; null for what is about namespaces themselves. `text` is `words` for sh(1). */
export type AskCommand = Readonly<{
  tool: 'ip' | 'bridge' | 'sysctl' | 'nsenter'
  ns: Ns | null
  words: Words
  text: string
}>

const linkWords = (ask: Extract<Ask, { on: 'link' }>, names: NsWords): Words => {
  switch (ask.do) {
    case 'add':
      return newLinkWords(ask, names)
    case 'set':
      return setLinkWords(ask, names)
    case 'delete':
      return deleteLinkWords(ask)
  }
}

/** What `ip netns attach` names is the namespace of a process; so one enters it. */
const netnsWords = (ask: Extract<Ask, { on: 'netns' }>, name: string): Words => {
  if (ask.do === 'delete') return ['netns', 'delete', name]
  return ask.at === undefined ? ['netns', 'add', name] : [`--net=${ask.at}`, 'sh', '-c', `ip netns attach ${name} $$`]
}

const partsOf = ({ ns, ask }: Request, names: NsWords): Readonly<{ tool: AskCommand['tool']; words: Words }> => {
  switch (ask.on) {
    case 'link':
      return { tool: 'ip', words: linkWords(ask, names) }
    case 'port':
      return { tool: 'bridge', words: portWords(ask) }
    case 'vlan':
      return { tool: 'bridge', words: vlanWords(ask) }
    case 'address':
      return { tool: 'ip', words: addressWords(ask) }
    case 'route':
      return { tool: 'ip', words: routeWords(ask) }
    case 'rule':
      return { tool: 'ip', words: ruleWords(ask) }
    case 'neighbour':
      return { tool: 'ip', words: neighbourWords(ask) }
    case 'fdb':
      return { tool: 'bridge', words: fdbWords(ask) }
    case 'tap':
      return { tool: 'ip', words: ['tuntap', ask.do, 'dev', ask.dev, 'mode', 'tap'] }
    case 'netns':
      return { tool: ask.do === 'add' && ask.at !== undefined ? 'nsenter' : 'ip', words: netnsWords(ask, names(ns)) }
    case 'sysctl':
      return { tool: 'sysctl', words: ['-qw', `${ask.name}=${ask.value}`] }
  }
}

/** `names`: how a namespace is written where a command names one. */
export const commandOf = (request: Request, names: NsWords): AskCommand => {
  const { tool, words } = partsOf(request, names)
  return { tool, words, ns: request.ask.on === 'netns' ? null : request.ns, text: shellText(words) }
}
