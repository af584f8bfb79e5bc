// `ip rule`. Source: ip-rule(8); iproute2 6.1, ip/iprule.c (iprule_modify, print_rule, flush_rule).

import type { RuleAction, RuleRequest } from '../../kernel/rtnl/request.ts'
import type { RuleFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { type Cidr, covers } from '../../net/cidr.ts'
import { type Family, familyOf, showIp, widthOf } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { type Context, lookAt, nameIn, type Options, refusalText, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, QUIET, type Read, refuse } from '../done.ts'
import { incomplete, invalid, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { protocolName, tableName, tableOf } from '../names.ts'
import { field, type Piece, quiet, text, where } from '../piece.ts'
import { asking, type Talk } from '../terminal.ts'
import { numberOf, readPrefix, U32 } from '../value.ts'
import { routeTypeOf } from './route-words.ts'

type RuleWords = Readonly<{
  family: Family | null
  not: boolean
  priority: number | null
  from: Cidr | null
  to: Cidr | null
  iif: IfName | null
  oif: IfName | null
  mark: Readonly<{ value: number; mask?: number }> | null
  suppress: number | null
  table: number | null
  action: Exclude<RuleAction, { lookup: number }> | null
  any: boolean
}>

const NO_WORDS: RuleWords = {
  family: null,
  not: false,
  priority: null,
  from: null,
  to: null,
  iif: null,
  oif: null,
  mark: null,
  suppress: null,
  table: null,
  action: null,
  any: false,
}

type Part = Partial<RuleWords>
const prefix =
  (key: 'from' | 'to') =>
  (word: string, { family }: RuleWords): Read<Part> => {
    const read = readPrefix(word, family)
    if (E.isLeft(read)) return read
    const { cidr, word: all } = read.right
    return E.right(all ? {} : { [key]: cidr, family: family ?? familyOf(cidr.ip) })
  }

const number =
  (key: keyof RuleWords, find: (word: string) => number | null, why: string) =>
  (word: string): Read<Part> => {
    const value = find(word)
    return value === null ? invalid(word, why) : E.right({ [key]: value })
  }

const device =
  (key: 'iif' | 'oif') =>
  (word: string): Read<Part> => {
    const name = nameIn(word)
    return name === null ? invalid(word, `"${key}" not a valid ifname`) : E.right({ [key]: name })
  }

const readMark = (word: string): Read<Part> => {
  const slash = word.indexOf('/')
  const value = numberOf(slash < 0 ? word : word.slice(0, slash), U32)
  if (value === null) return invalid(word, 'fwmark value is invalid\n')
  if (slash < 0) return E.right({ mark: { value } })
  const mask = numberOf(word.slice(slash + 1), U32)
  return mask === null
    ? invalid(word.slice(slash + 1), 'fwmask value is invalid\n')
    : E.right({ mark: { value, mask } })
}

const u32 = (word: string): number | null => numberOf(word, U32)

const KEYWORDS: ReadonlyArray<Keyword<RuleWords>> = [
  { is: 'not', set: { not: true } },
  { is: 'from', take: prefix('from') },
  { is: 'to', take: prefix('to') },
  {
    is: ['preference', 'order', 'priority'],
    short: true,
    take: number('priority', u32, 'preference value is invalid\n'),
  },
  { is: 'fwmark', take: readMark },
  { is: 'table', short: true, take: number('table', tableOf, 'invalid table ID\n') },
  { is: 'lookup', take: number('table', tableOf, 'invalid table ID\n') },
  {
    is: ['suppress_prefixlength', 'sup_pl'],
    take: number('suppress', u32, 'suppress_prefixlength value is invalid\n'),
  },
  { is: ['dev', 'iif'], take: device('iif') },
  { is: 'oif', take: device('oif') },
  {
    is: [
      'tos',
      'dsfield',
      'realms',
      'protocol',
      'tun_id',
      'suppress_ifgroup',
      'sup_group',
      'uidrange',
      'ipproto',
      'sport',
      'dport',
    ],
    take: (value) => absentHere(`a part of a rule (${value})`),
  },
  { is: 'l3mdev', rest: () => absentHere('rules for l3mdev') },
]

const RULE_USAGE = 'Usage: ip rule { add | del | list | flush } ...; see ip-rule(8)'

const ACTIONS: Readonly<Record<string, 'blackhole' | 'unreachable' | 'prohibit'>> = {
  blackhole: 'blackhole',
  unreachable: 'unreachable',
  prohibit: 'prohibit',
}

const action = (words: Words): Taken<RuleWords> => {
  const left = words[0] === 'type' ? words.slice(1) : words
  const [word, value] = left
  if (word === undefined) return incomplete()
  if (begins(word, 'help')) return refuse(255, RULE_USAGE)
  if (begins(word, 'goto')) {
    if (value === undefined) return incomplete()
    const goto = u32(value)
    return goto === null
      ? invalid(value, 'invalid target\n')
      : E.right({ set: { action: { goto } }, left: left.slice(2) })
  }
  if (begins(word, 'nop')) return E.right({ set: { action: { is: 'nop' } }, left: left.slice(1) })
  const type = routeTypeOf(word)
  // Without the empty line that others have behind them, and the other way round.
  if (type === null) return refuse(255, `Error: argument "Failed to parse rule type" is wrong: ${word}`)
  if (type === 'unicast') return E.right({ set: {}, left: left.slice(1) })
  const is = ACTIONS[type]
  return is === undefined
    ? absentHere(`a rule of type ${type}`)
    : E.right({ set: { action: { is } }, left: left.slice(1) })
}

export function* modifyRule(context: Context, verb: RuleRequest['do'], words: Words): Talk<Done> {
  if (words.length === 0) return failed(1, `"ip rule ${verb === 'add' ? 'add' : 'del'}" requires arguments.`)
  const read = readWords(words, { ...NO_WORDS, family: context.options.family }, KEYWORDS, action)
  if (E.isLeft(read)) return read.left
  const { family, not, priority, from, to, iif, oif, mark, suppress, table, action: does } = read.right
  const what: RuleAction | null = does ?? (table === null ? null : { lookup: table })
  const ask: RuleRequest = {
    on: 'rule',
    do: verb,
    family: family ?? 4,
    ...(not ? { not } : {}),
    ...(priority === null ? {} : { priority }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(iif === null ? {} : { iif }),
    ...(oif === null ? {} : { oif }),
    ...(mark === null ? {} : { mark }),
    ...(suppress === null ? {} : { suppressPrefixLength: suppress }),
    ...(what === null ? {} : { action: what }),
  }
  return yield* telling(context, said(ask) ? ask : { ...ask, action: what ?? { lookup: 254 } })
}

/** The words were said, be it only `from all`: the seam would take a rule without anything for none. */
const said = ({ on: _, do: __, family: ___, ...told }: RuleRequest): boolean =>
  Object.values(told).some((value) => value !== undefined)

const chosen = (rule: RuleFacts, selection: RuleWords): boolean => {
  const { priority, table, iif, oif, mark, from, to } = selection
  return (
    (priority === null || rule.priority === priority) &&
    (table === null || ('lookup' in rule.action && rule.action.lookup === table)) &&
    (iif === null || rule.iif === iif) &&
    (oif === null || rule.oif === oif) &&
    (mark === null || (rule.mark?.value === mark.value && (mark.mask === undefined || rule.mark.mask === mark.mask))) &&
    (from === null || (rule.from !== null && covers(from, rule.from))) &&
    (to === null || (rule.to !== null && covers(to, rule.to)))
  )
}

const select = (words: Words, stack: Stack, family: Family | null): Read<ReadonlyArray<RuleFacts>> => {
  const read = readWords(words, { ...NO_WORDS, family: family ?? 4 }, KEYWORDS, (left) =>
    begins(left[0] ?? '', 'help')
      ? refuse(255, RULE_USAGE)
      : refuse(255, `Error: argument "invalid arguments" is wrong: ${left[0] ?? ''}`),
  )
  if (E.isLeft(read)) return read
  return E.right(stack.rules.filter((rule) => rule.family === (family ?? 4) && chosen(rule, read.right)))
}

const whole = ({ ip, bits }: Cidr): boolean => bits === widthOf(familyOf(ip))
const prefixPieces = (key: 'src' | 'dst', word: string, cidr: Cidr): ReadonlyArray<Piece> => {
  const words = whole(cidr) ? showIp(cidr.ip) : `${showIp(cidr.ip)}/${cidr.bits}`
  return [
    { key, value: showIp(cidr.ip), text: `${word} ${words}` },
    ...where(!whole(cidr), quiet(`${key}len`, cidr.bits)),
  ]
}

const hex = (value: number): string => `0x${value.toString(16)}`

const actionPieces = (
  { action: does, suppressPrefixLength }: RuleFacts,
  { rules }: Stack,
  family: Family,
): ReadonlyArray<Piece> => {
  if ('lookup' in does)
    return [
      field('table', tableName(does.lookup), ' lookup %'),
      ...(suppressPrefixLength === null
        ? []
        : [field('suppress_prefixlen', suppressPrefixLength, ' suppress_prefixlength %')]),
    ]
  if ('goto' in does) {
    const there = rules.some((rule) => rule.family === family && rule.priority === does.goto)
    return [
      field('goto', does.goto, ' goto %'),
      ...where(!there, { key: 'unresolved', value: null, text: ' [unresolved]' }),
    ]
  }
  return does.is === 'nop' ? [{ key: 'nop', value: null, text: ' nop' }] : [field('action', does.is, ' %')]
}

const devicePieces = (key: 'iif' | 'oif', name: IfName, { links }: Stack): ReadonlyArray<Piece> => [
  field(key, name, ` ${key} %`),
  ...where(!links.some((link) => link.name === name), {
    key: `${key}_detached`,
    value: null,
    text: ' [detached]',
  }),
]

const pieces = (rule: RuleFacts, stack: Stack, { details }: Options): ReadonlyArray<Piece> => {
  const { mark } = rule
  return [
    field('priority', rule.priority, '%:\t'),
    ...where(rule.not, { key: 'not', value: null, text: 'not ' }),
    ...(rule.from === null ? [{ key: 'src', value: 'all', text: 'from all' }] : prefixPieces('src', 'from', rule.from)),
    ...(rule.to === null ? [] : prefixPieces('dst', ' to', rule.to)),
    ...(mark === null
      ? []
      : [
          field('fwmark', hex(mark.value), ' fwmark %'),
          ...where(mark.mask !== U32, field('fwmask', hex(mark.mask), '/%')),
        ]),
    ...(rule.iif === null ? [] : devicePieces('iif', rule.iif, stack)),
    ...(rule.oif === null ? [] : devicePieces('oif', rule.oif, stack)),
    ...actionPieces(rule, stack, rule.family),
    ...where(details, field('protocol', protocolName(rule.proto), ' proto %')),
    text('\n'),
  ]
}

export function* showRules({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const rules = select(words, stack, options.family)
  if (E.isLeft(rules)) return rules.left
  return shown(
    options,
    rules.right.map((rule) => pieces(rule, stack, options)),
  )
}

/** All but those with priority 0. */
export function* flushRules({ ns, options }: Context, words: Words): Talk<Done> {
  const stack = yield* lookAt(ns)
  const rules = select(words, stack, options.family)
  if (E.isLeft(rules)) return rules.left
  for (const rule of rules.right.filter(({ priority }) => priority !== 0)) {
    const { family, priority, not, from, to, iif, oif, mark, suppressPrefixLength, action: does } = rule
    const ask: RuleRequest = {
      on: 'rule',
      do: 'delete',
      family,
      priority,
      action: does,
      ...(not ? { not } : {}),
      ...(from === null ? {} : { from }),
      ...(to === null ? {} : { to }),
      ...(iif === null ? {} : { iif }),
      ...(oif === null ? {} : { oif }),
      ...(mark === null ? {} : { mark }),
      ...(suppressPrefixLength === null ? {} : { suppressPrefixLength }),
    }
    const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
    if (refusal !== null) return failed(2, refusalText(refusal))
  }
  return QUIET
}
