// The command language: verbs, what they are done to, variables, and blocks of tables with all that is in them.
// Sources: nft(8); nftables src/parser_bison.y, src/rule.c (nft_cmd_expand).

import type { Command, InTable, Listed, Position, Reference } from '../command.ts'
import type { Host } from '../datatype.ts'
import { firstOf, meaningError, type NftError, notInSimulation, type Place } from '../error.ts'
import { FAMILIES, type Family } from '../ruleset.ts'
import { blockOf, chainBlock, counterBlock, setBlock } from './block.ts'
import { type Cursor, cursorOf } from './cursor.ts'
import type { Token } from './lexer.ts'
import { rawSet } from './raw.ts'
import { ruleBody } from './rule.ts'
import { endOfStatement, identifier, isKeyword, number, skipSeparators, text } from './word.ts'

const familyIn = (cursor: Cursor): Family | null => {
  const family = FAMILIES.find((each) => cursor.isNext(each))
  if (family !== undefined) cursor.next()
  return family ?? null
}

const inTable = (cursor: Cursor): InTable => {
  const family = familyIn(cursor) ?? 'ip'
  const { at } = cursor.peek()
  return { family, table: identifier(cursor), tableAt: at }
}

/** A name, or `handle N` where that may stand for it. */
const reference = (cursor: Cursor): Reference => {
  const { at } = cursor.peek()
  if (cursor.take('handle')) return { name: '', handle: number(cursor), at: cursor.since(at) }
  return { name: identifier(cursor), handle: null, at }
}

type Sections = Readonly<Record<'chains' | 'counters' | 'sets' | 'rules', Command[]>>

const chainIn = (cursor: Cursor, where: InTable, create: boolean, into: Sections): void => {
  const { at: nameAt } = cursor.peek()
  const name = identifier(cursor)
  const chain: Reference = { name, handle: null, at: nameAt }
  const rules: Command[] = []
  const notes: Array<NftError | null> = []
  const block = cursor.isNext('{')
    ? chainBlock(cursor, where.family, () => {
        notes.push(cursor.noted())
        const body = ruleBody(cursor, where.family)
        const rule = { ...where, chain, insert: false, position: { tag: 'end' }, body } as const
        rules.push({ tag: 'add-rule', ...rule, at: body.at, wrong: cursor.noted() })
        endOfStatement(cursor)
      })
    : { base: null, policy: null, policyAt: nameAt, comment: null }
  const wrong = [...notes, cursor.noted()].reduce(firstOf)
  into.chains.push({ tag: 'add-chain', create, ...where, name, nameAt, ...block, at: cursor.since(nameAt), wrong })
  into.rules.push(...rules)
}

const setIn = (cursor: Cursor, where: InTable, create: boolean, isMap: boolean, into: Sections): void => {
  const { at: nameAt } = cursor.peek()
  const name = identifier(cursor)
  const { spec, elements } = setBlock(cursor, where.family, isMap)
  const at = cursor.since(nameAt)
  into.sets.push({ tag: 'add-set', create, ...where, name, nameAt, spec, at, wrong: cursor.noted() })
  if (elements.length > 0)
    into.sets.push({
      tag: 'add-elements',
      create: false,
      ...where,
      set: { name, handle: null, at: nameAt },
      elements,
      at,
    })
}

const counterIn = (cursor: Cursor, where: InTable, create: boolean, into: Sections): void => {
  const { at: nameAt } = cursor.peek()
  const name = identifier(cursor)
  let values = { packets: 0, bytes: 0, comment: null as string | null }
  if (cursor.isNext('{')) values = counterBlock(cursor)
  else if (cursor.take('packets')) {
    const packets = number(cursor)
    cursor.expect('bytes')
    values = { packets, bytes: number(cursor), comment: null }
  }
  into.counters.push({ tag: 'add-counter', create, ...where, name, nameAt, ...values, at: cursor.since(nameAt) })
}

const sections = (): Sections => ({ chains: [], counters: [], sets: [], rules: [] })
/** As nft sends what one block has: what others refer to goes first. */
const inOrder = ({ chains, counters, sets, rules }: Sections): ReadonlyArray<Command> => [
  ...chains,
  ...counters,
  ...sets,
  ...rules,
]

const FOREIGN_OBJECTS: ReadonlySet<string> = new Set('flowtable quota limit secmark synproxy ct'.split(' '))

const tableBlock = (cursor: Cursor, create: boolean): ReadonlyArray<Command> => {
  const { family, table, tableAt } = inTable(cursor)
  const where: InTable = { family, table, tableAt }
  const into = sections()
  let dormant = false
  let comment: string | null = null
  if (cursor.isNext('{'))
    blockOf(cursor, () => {
      const { text: word, at } = cursor.peek()
      if (cursor.take('chain')) chainIn(cursor, where, false, into)
      else if (cursor.take('set')) setIn(cursor, where, false, false, into)
      else if (cursor.take('map')) setIn(cursor, where, false, true, into)
      else if (cursor.take('counter')) counterIn(cursor, where, false, into)
      else if (cursor.take('flags')) {
        const flag = cursor.next()
        if (flag.text === 'dormant') dormant = true
        else if (flag.text === 'owner') cursor.stop(notInSimulation('tables with an owner', flag.at))
        else cursor.stop(meaningError(`unknown table option ${flag.text}`, flag.at))
      } else if (cursor.take('comment')) comment = text(cursor)
      else if (FOREIGN_OBJECTS.has(word)) {
        cursor.stop(notInSimulation(word, at))
      } else return false
      endOfStatement(cursor)
      return true
    })
  return [
    {
      tag: 'add-table',
      create,
      family,
      name: table,
      nameAt: tableAt,
      dormant,
      comment,
      at: cursor.since(tableAt),
    },
    ...inOrder(into),
  ]
}

const position = (cursor: Cursor): Position => {
  const { at } = cursor.peek()
  if (cursor.take('handle') || cursor.take('position')) {
    const where = cursor.peek().at
    return { tag: 'handle', of: number(cursor), at: where }
  }
  if (cursor.take('index')) return { tag: 'index', of: number(cursor), at: cursor.since(at) }
  return { tag: 'end' }
}

const ruleIn = (cursor: Cursor, insert: boolean): ReadonlyArray<Command> => {
  const where = inTable(cursor)
  const chain = reference(cursor)
  const place = position(cursor)
  const body = ruleBody(cursor, where.family)
  return [{ tag: 'add-rule', ...where, chain, insert, position: place, body, at: body.at }]
}

const elementsIn = (cursor: Cursor, verb: 'add' | 'create' | 'delete' | 'destroy'): ReadonlyArray<Command> => {
  const { at } = cursor.peek()
  const where = inTable(cursor)
  const set = reference(cursor)
  const elements = rawSet(cursor, null)
  const common = { ...where, set, elements, at: cursor.since(at) }
  return verb === 'add' || verb === 'create'
    ? [{ tag: 'add-elements', create: verb === 'create', ...common }]
    : [{ tag: 'delete-elements', destroy: verb === 'destroy', ...common }]
}

/** `from`: where the command begins. */
const adding = (cursor: Cursor, create: boolean, from: Place): ReadonlyArray<Command> => {
  const into = sections()
  if (cursor.take('table')) return tableBlock(cursor, create)
  if (cursor.take('chain')) chainIn(cursor, inTable(cursor), create, into)
  else if (cursor.take('set')) setIn(cursor, inTable(cursor), create, false, into)
  else if (cursor.take('map')) setIn(cursor, inTable(cursor), create, true, into)
  else if (cursor.take('counter')) counterIn(cursor, inTable(cursor), create, into)
  else if (cursor.take('element')) return elementsIn(cursor, create ? 'create' : 'add')
  else if (create) cursor.refuse()
  else {
    cursor.take('rule')
    return ruleIn(cursor, false)
  }
  // What the kernel has against a base chain is against all of the command, with the end of its line.
  const whole = cursor.since(from)
  const to = whole.to + (cursor.peek().kind === 'newline' ? 1 : 0)
  return inOrder(into).map((each) => (each.tag === 'add-chain' ? { ...each, at: { ...whole, to } } : each))
}

const deletingRule = (cursor: Cursor, destroy: boolean): Command => {
  const { at } = cursor.peek()
  const where = inTable(cursor)
  const chain = reference(cursor)
  cursor.expect('handle')
  const handleAt = cursor.peek().at
  return { tag: 'delete-rule', destroy, ...where, chain, handle: number(cursor), handleAt, at: cursor.since(at) }
}

const deleting = (cursor: Cursor, destroy: boolean): ReadonlyArray<Command> => {
  const { text: what, at } = cursor.peek()
  switch (what) {
    case 'table': {
      cursor.next()
      const family = familyIn(cursor) ?? 'ip'
      return [{ tag: 'delete-table', destroy, family, table: reference(cursor), at: cursor.since(at) }]
    }
    case 'chain':
      cursor.next()
      return [{ tag: 'delete-chain', destroy, ...inTable(cursor), chain: reference(cursor), at: cursor.since(at) }]
    case 'rule':
      cursor.next()
      return [deletingRule(cursor, destroy)]
    case 'set':
    case 'map':
      cursor.next()
      return [
        {
          tag: 'delete-set',
          destroy,
          isMap: what === 'map',
          ...inTable(cursor),
          set: reference(cursor),
          at: cursor.since(at),
        },
      ]
    case 'counter':
      cursor.next()
      return [{ tag: 'delete-counter', destroy, ...inTable(cursor), counter: reference(cursor), at: cursor.since(at) }]
    case 'element':
      cursor.next()
      return elementsIn(cursor, destroy ? 'destroy' : 'delete')
    default:
      cursor.refuse()
      return []
  }
}

const flushing = (cursor: Cursor): ReadonlyArray<Command> => {
  const { text: what, at } = cursor.peek()
  switch (what) {
    case 'ruleset':
      cursor.next()
      return [{ tag: 'flush-ruleset', family: familyIn(cursor), at: cursor.since(at) }]
    case 'table': {
      cursor.next()
      const family = familyIn(cursor) ?? 'ip'
      return [{ tag: 'flush-table', family, table: reference(cursor), at: cursor.since(at) }]
    }
    case 'chain':
      cursor.next()
      return [{ tag: 'flush-chain', ...inTable(cursor), chain: reference(cursor), at: cursor.since(at) }]
    case 'set':
    case 'map':
      cursor.next()
      return [
        { tag: 'flush-set', isMap: what === 'map', ...inTable(cursor), set: reference(cursor), at: cursor.since(at) },
      ]
    default:
      cursor.refuse()
      return []
  }
}

const PLURALS = ['ruleset', 'tables', 'chains', 'sets', 'maps', 'counters'] as const
const SINGULARS = ['chain', 'set', 'map', 'counter'] as const

const listed = (cursor: Cursor): Listed => {
  const all = PLURALS.find((each) => cursor.isNext(each))
  if (all !== undefined) {
    cursor.next()
    const family = familyIn(cursor)
    return all === 'counters' ? { what: all, family, table: null } : { what: all, family }
  }
  if (cursor.take('table')) {
    const { family, table, tableAt } = inTable(cursor)
    return { what: 'table', family, table, at: tableAt }
  }
  const one = SINGULARS.find((each) => cursor.isNext(each))
  if (one === undefined) {
    cursor.refuse()
    return { what: 'ruleset', family: null }
  }
  cursor.next()
  const where = inTable(cursor)
  const { at } = cursor.peek()
  return { what: one, ...where, name: identifier(cursor), at }
}

const resetting = (cursor: Cursor): ReadonlyArray<Command> => {
  const { at } = cursor.peek()
  if (cursor.take('counter')) {
    const { family, table } = inTable(cursor)
    const nameAt = cursor.peek().at
    return [{ tag: 'reset-counters', family, table, counter: identifier(cursor), nameAt, at: cursor.since(at) }]
  }
  cursor.expect('counters')
  const named = cursor.take('table')
  const family = familyIn(cursor)
  const table = named ? identifier(cursor) : null
  return [{ tag: 'reset-counters', family: named ? (family ?? 'ip') : family, table, counter: null, nameAt: at, at }]
}

const OBJECTS: ReadonlySet<string> = new Set(['table', 'chain', 'rule', 'set', 'map', 'element', 'counter'])
const FOREIGN_VERBS: ReadonlySet<string> = new Set(['describe', 'monitor', 'export', 'import', 'get'])

const command = (cursor: Cursor): ReadonlyArray<Command> => {
  const { text: verb, kind, at } = cursor.peek()
  if (kind !== 'word') {
    cursor.refuse()
    return []
  }
  // A verb may be left out: then things are added.
  if (OBJECTS.has(verb)) return adding(cursor, false, at)
  if (!isKeyword(verb) && verb !== 'destroy') return ruleIn(cursor, false)
  cursor.next()
  switch (verb) {
    case 'add':
      return adding(cursor, false, at)
    case 'create':
      return adding(cursor, true, at)
    case 'insert':
      cursor.take('rule')
      return ruleIn(cursor, true)
    case 'replace': {
      cursor.take('rule')
      const where = inTable(cursor)
      const chain = reference(cursor)
      cursor.expect('handle')
      const handleAt = cursor.peek().at
      const handle = number(cursor)
      const body = ruleBody(cursor, where.family)
      return [{ tag: 'replace-rule', ...where, chain, handle, handleAt, body, at: body.at }]
    }
    case 'delete':
      return deleting(cursor, false)
    case 'destroy':
      return deleting(cursor, true)
    case 'flush':
      return flushing(cursor)
    case 'list':
      return [{ tag: 'list', listed: listed(cursor), at: cursor.since(at) }]
    case 'reset':
      return resetting(cursor)
    case 'rename': {
      cursor.expect('chain')
      const where = inTable(cursor)
      const chain = reference(cursor)
      return [{ tag: 'rename-chain', ...where, chain, to: identifier(cursor), at: cursor.since(at) }]
    }
    default:
      if (FOREIGN_VERBS.has(verb)) cursor.stop(notInSimulation(verb, at))
      else cursor.refuse()
      return []
  }
}

/** The tokens of a variable's value: to the end of the line, or of the braces that it opens. */
const valueTokens = (cursor: Cursor): ReadonlyArray<Token> => {
  const tokens: Token[] = []
  let depth = 0
  while (cursor.peek().kind !== 'end') {
    if (depth === 0 && (cursor.peek().kind === 'newline' || cursor.isNext(';'))) break
    if (cursor.isNext('{')) depth += 1
    if (cursor.isNext('}')) depth -= 1
    const token = cursor.next()
    if (token.kind !== 'newline') tokens.push(token)
  }
  return tokens
}

/** `define`, `redefine`, `undefine`, `include`; false if the line is none of them. */
const preamble = (cursor: Cursor): boolean => {
  const { at } = cursor.peek()
  if (cursor.isNext('define', 'redefine')) {
    const again = cursor.next().text === 'redefine'
    const name = identifier(cursor)
    cursor.expect('=')
    const value = valueTokens(cursor)
    if (value.length === 0) cursor.refuse()
    if (!cursor.define(name, value, again))
      cursor.stop(meaningError(`redefinition of symbol '${name}'`, cursor.since(at)))
    return true
  }
  if (cursor.take('undefine')) {
    const name = identifier(cursor)
    if (!cursor.undefine(name)) cursor.stop(meaningError(`undefined symbol '${name}'`, cursor.since(at)))
    return true
  }
  if (!cursor.take('include')) return false
  if (cursor.peek().kind !== 'quoted') cursor.refuse()
  cursor.next()
  cursor.stop(notInSimulation('include', cursor.since(at)))
  return true
}

/** `wrong`: what ended the reading; then nothing of the script may be done. */
export type Script = Readonly<{ commands: ReadonlyArray<Command>; wrong: NftError | null }>

/** The commands of one line, the last with what was noted of them and belongs to no other. */
const blamed = (commands: ReadonlyArray<Command>, noted: NftError | null): ReadonlyArray<Command> => {
  const last = commands.at(-1)
  if (noted === null || last === undefined) return commands
  return commands.with(-1, { ...last, wrong: firstOf(last.wrong ?? null, noted) })
}

/** Reads a script. Whatever the text, it ends. */
export const parseScript = (script: string, host: Host): Script => {
  const cursor = cursorOf(script, host, isKeyword)
  const commands: Command[] = []
  skipSeparators(cursor)
  while (cursor.peek().kind !== 'end') {
    if (!preamble(cursor)) for (const each of blamed(command(cursor), cursor.noted())) commands.push(each)
    endOfStatement(cursor)
    skipSeparators(cursor)
  }
  return { commands, wrong: cursor.final() }
}
