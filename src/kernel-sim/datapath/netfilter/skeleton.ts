// The table that cnm writes (src/kernel/firewall), as a ruleset of the hooks. Its chains are evaluated by the firewall itself,
// which looks at addresses, protocol, port, interfaces and what conntrack says, and at nothing else of a packet.

import type { Chain, Hook } from '../../../kernel/firewall/rule.ts'
import { CHAINS, TABLE } from '../../../kernel/firewall/skeleton.ts'
import { ruleText } from '../../../kernel/firewall/text.ts'
import { evaluate, type Decision as Said } from '../../firewall.ts'
import { memoised } from '../../memo.ts'
import type { Packet as Sketch } from '../../packet.ts'
import type { RuleAt as RuleThere } from '../../trace.ts'
import { protocolOf } from '../../wire/body.ts'
import type { Packet } from '../../wire/nested.ts'
import { TCP } from '../../wire/tcp.ts'
import { UDP } from '../../wire/udp.ts'
import type { HookAt } from '../plane.ts'
import type { RuleAt } from '../step.ts'
import { answerOf, type BaseChain, PASSED, type Rules, type View, type Wish } from './rules.ts'
import { tupleOf } from './tuple.ts'

/** The packet as the firewall knows packets: of protocols without ports it asks for nothing but the addresses. */
const sketchOf = (packet: Packet): Sketch => {
  const { src, dst, ttl, body } = packet
  const protocol = protocolOf(body)
  const tuple = protocol === TCP || protocol === UDP ? tupleOf(packet, 0) : null
  const ports = { sport: tuple?.sport ?? 0, dport: tuple?.dport ?? 0 }
  if (protocol === TCP) return { tag: 'ip', src, dst, ttl, body: { proto: 'tcp', flags: 'ACK', ...ports } }
  if (protocol === UDP) return { tag: 'ip', src, dst, ttl, body: { proto: 'udp', ...ports } }
  return { tag: 'ip', src, dst, ttl, body: { proto: 'icmp', type: 'echo-request', id: 0 } }
}

const textOf = memoised((rule: RuleThere['rule']) => ({ text: ruleText(rule) }))

const placeOf = ({ chain, hook, rule }: RuleThere): RuleAt => ({
  family: 'inet',
  table: TABLE,
  chain,
  hook,
  handle: null,
  text: textOf(rule).text,
  about: rule.about,
})

const MASQUERADE: Wish = { kind: 'masquerade', address: null, port: null, random: false, persistent: false }

const answer = (said: Said) => {
  const at = placeOf(said.at)
  switch (said.tag) {
    case 'accept':
    case 'drop':
      return answerOf({ tag: said.tag, at })
    case 'masquerade':
      return answerOf({ tag: 'translate', at, wish: MASQUERADE })
    case 'dnat': {
      const { ip, port } = said.to
      const wish: Wish = {
        ...MASQUERADE,
        kind: 'dnat',
        address: { from: ip, to: ip },
        port: { from: port, to: port },
      }
      return answerOf({ tag: 'translate', at, wish })
    }
  }
}

const ask = (chain: Chain, hook: Hook, { space, at, held }: View) => {
  if (held === null) return PASSED
  const { flow } = held.meta
  const state = flow === null || flow.state === 'untracked' ? null : flow.state
  const said = evaluate(
    {
      space: space.entry,
      hook,
      iif: at.iif?.name ?? null,
      oif: at.oif?.name ?? null,
      packet: sketchOf(held.packet),
      state,
      dnat: flow?.connection?.dnat ?? false,
    },
    chain,
  )
  return said === null ? PASSED : answer(said)
}

const chainsOf = (hook: Hook): ReadonlyArray<BaseChain> =>
  CHAINS.flatMap((chain) => (chain.base?.hook === hook ? [{ chain, base: chain.base }] : []))
    .map(
      ({ chain, base }): BaseChain => ({
        type: base.type,
        priority: base.priority,
        ask: (view) => ask(chain, hook, view),
      }),
    )
    .sort((a, b) => a.priority - b.priority)

const AT: Readonly<Partial<Record<HookAt['hook'], ReadonlyArray<BaseChain>>>> = {
  prerouting: chainsOf('prerouting'),
  input: chainsOf('input'),
  forward: chainsOf('forward'),
  output: chainsOf('output'),
  postrouting: chainsOf('postrouting'),
}
const NONE: ReadonlyArray<BaseChain> = []

/** Of every namespace that has the table; what is in its sets is asked for in the entry. */
export const SKELETON: Rules = {
  chainsAt: (family, hook) => (family === 'ip' || family === 'ip6' ? (AT[hook] ?? NONE) : NONE),
  tracks: true,
  translates: true,
}
