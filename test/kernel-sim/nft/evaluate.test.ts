// What chains say of a packet.

import { describe, expect, it } from 'vitest'
import { bridgeElement, masqueradeElement, subnetElement } from '../../../src/kernel/firewall/elements.ts'
import { elementKeyText, elementText, skeletonText } from '../../../src/kernel/firewall/text.ts'
import type { Datum } from '../../../src/kernel-sim/nft/datatype.ts'
import {
  askHook,
  type Evaluated,
  evaluateHook,
  type Point,
  runOf,
  type Sight,
  settled,
} from '../../../src/kernel-sim/nft/evaluate.ts'
import { nft } from '../../../src/kernel-sim/nft/nft.ts'
import { showPlace } from '../../../src/kernel-sim/nft/print/statement.ts'
import { EMPTY_RULESET, type Ruleset } from '../../../src/kernel-sim/nft/ruleset.ts'
import { fieldName } from '../../../src/kernel-sim/nft/run.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { ifName, ns } from '../../../src/net/name.ts'
import { NOW } from './lab.ts'

const INPUT: Point = { family: 'ip', hook: 'input', device: null }
const PREROUTING: Point = { family: 'ip', hook: 'prerouting', device: null }

type Fields = Readonly<Record<string, Datum>>

/** A TCP packet from 10.0.0.1 to port 22, but for what is said. */
const packet = (more: Fields = {}, nowMs = 0): Sight => {
  const fields: Fields = {
    'ip saddr': ip('10.0.0.1'),
    'ip daddr': ip('10.0.0.9'),
    'tcp dport': 22,
    'th dport': 22,
    'meta l4proto': 6,
    'meta nfproto': 2,
    'meta iifname': 'eth0',
    'meta mark': 0,
    'ct  state': 8,
    ...more,
  }
  return {
    field: (field) => fields[fieldName(field)] ?? null,
    random: () => 0,
    flowHash: () => 7,
    length: () => 60,
    nowMs,
  }
}

const rulesetOf = (text: string): Ruleset => {
  const { ruleset, stderr } = nft(EMPTY_RULESET, text, NOW, { file: 'rules', json: false, handles: false })
  expect(stderr).toBe('')
  return ruleset
}
const chainsOf = (...rules: ReadonlyArray<string>): Ruleset =>
  rulesetOf(`table ip t {
  chain sub { tcp dport 22 accept; counter; }
  chain back { return; accept; }
  chain early { type filter hook input priority -10; }
  chain in { type filter hook input priority 0; policy drop;
    ${rules.join('\n    ')}
  }
}`)
const said = (ruleset: Ruleset, sight: Sight = packet(), point: Point = INPUT): string =>
  evaluateHook(ruleset, point, sight).decision.tag
const listed = ({ ruleset }: Pick<Evaluated, 'ruleset'>, nowMs = 0): string =>
  nft(ruleset, 'list ruleset', { ...NOW, nowMs }, { file: null, json: false, handles: false }).stdout

describe('a base chain', () => {
  it('has its policy where no rule decides', () => {
    expect(said(chainsOf('tcp dport 80 accept'))).toBe('drop')
    expect(evaluateHook(chainsOf(), INPUT, packet()).decision).toMatchObject({ by: null })
  })
  it('that accepts ends itself only: a later one may drop', () => {
    const both = `table ip t { chain a { type filter hook input priority -5; accept; }
      chain b { type filter hook input priority 5; drop; }
    }`
    expect(said(rulesetOf(both))).toBe('drop')
  })
  it('that drops ends all', () => {
    const both = `table ip t { chain a { type filter hook input priority 5; counter accept; }
      chain b { type filter hook input priority -5; drop; }
    }`
    const after = evaluateHook(rulesetOf(both), INPUT, packet())
    expect(after.decision.tag).toBe('drop')
    expect(listed(after)).toContain('counter packets 0 bytes 0 accept')
  })
  it('of a dormant table is not asked', () => {
    expect(said(rulesetOf('table ip t { flags dormant; chain a { type filter hook input priority 0; drop; }\n}'))).toBe(
      'accept',
    )
  })
  it('of inet is asked for both families', () => {
    const inet = rulesetOf('table inet t { chain a { type filter hook input priority 0; drop; }\n}')
    expect([said(inet), said(inet, packet(), { ...INPUT, family: 'ip6' })]).toEqual(['drop', 'drop'])
  })
})

describe('a chain that is jumped to', () => {
  it('accepts for its base chain', () => expect(said(chainsOf('jump sub', 'drop'))).toBe('accept'))
  it('comes back at its end, or where it returns', () => {
    expect(said(chainsOf('jump back', 'accept'))).toBe('accept')
    expect(said(chainsOf('jump sub', 'accept'), packet({ 'tcp dport': 80 }))).toBe('accept')
  })
  it('does not come back if it was gone to: then the policy holds', () => {
    expect(said(chainsOf('goto back', 'accept'))).toBe('drop')
  })
  it('can be chosen by a verdict map', () => {
    expect(said(chainsOf('tcp dport vmap { 22 : jump back, 80 : drop }', 'accept'))).toBe('accept')
  })
})

describe('a rule', () => {
  it('that asks for a header which is not there does not match, whatever it asks', () => {
    expect(said(chainsOf('udp dport != 53 accept'))).toBe('drop')
  })
  it.each([
    ['ip saddr 10.0.0.0/8', true],
    ['ip saddr != 10.0.0.0/8', false],
    ['ip saddr 10.0.0.2-10.0.0.9', false],
    ['ip saddr { 10.0.0.0/30, 11.0.0.1 }', true],
    ['ip saddr . tcp dport { 10.0.0.0/24 . 20-25 }', true],
    ['ip saddr . tcp dport { 10.0.0.0/24 . 80 }', false],
    ['ct state new,established', true],
    ['ct state != new', false],
    ['iifname "eth*"', true],
    ['iifname { "wl*", lo }', false],
    ['tcp dport >= 22 tcp dport < 23', true],
    ['meta mark & 0xff == 0x0', true],
    ['fib daddr oif missing', true],
    ['meta mark set 0x5 meta mark 0x5', true],
  ])('%s: %s', (match, isMatch) => {
    expect(said(chainsOf(`${match} accept`))).toBe(isMatch ? 'accept' : 'drop')
  })
  it('counts, also in counters with a name, and the ruleset before it stays as it was', () => {
    const before = rulesetOf(`table ip t { counter k { packets 1 bytes 2; }
      chain a { type filter hook input priority 0; counter counter name k; }
    }`)
    const once = evaluateHook(before, INPUT, packet())
    expect(listed(once)).toContain('counter packets 1 bytes 60 counter name "k"')
    expect(listed(once)).toContain('packets 2 bytes 62')
    expect(listed({ ruleset: before })).toContain('packets 1 bytes 2')
  })
  it('logs, marks and leaves untracked: told in order, with the rule', () => {
    const { effects } = evaluateHook(chainsOf('log prefix "x" meta mark set 0x7 notrack accept'), INPUT, packet())
    expect(effects.map(({ tag }) => tag)).toEqual(['log', 'set', 'notrack'])
  })
  it('rejects with a reset only what is TCP', () => {
    const reset = chainsOf('reject with tcp reset')
    expect([said(reset), said(reset, packet({ 'meta l4proto': 17 }))]).toEqual(['reject', 'drop'])
  })
})

describe('translation', () => {
  const nat = (rule: string): Evaluated =>
    evaluateHook(
      rulesetOf(`table ip t { map m { type inet_service : ipv4_addr . inet_service; elements = { 22 : 10.9.9.9 . 2222 }; }
        chain a { type nat hook prerouting priority dstnat; ${rule}; }
        chain b { type nat hook prerouting priority 0; counter; drop; }
      }`),
      PREROUTING,
      packet(),
    )
  it('goes to an address and a port, and ends the asking of chains that translate', () => {
    expect(nat('tcp dport 22 dnat to 10.9.9.1:80').decision).toMatchObject({
      tag: 'translate',
      wish: { kind: 'dnat', address: { from: ip('10.9.9.1') }, port: { from: 80 } },
    })
  })
  it('goes where a map says', () => {
    expect(nat('dnat ip to tcp dport map @m').decision).toMatchObject({
      wish: { address: { from: ip('10.9.9.9') }, port: { from: 2222 } },
    })
  })
  it('whose map has no such key is a rule that does not match', () => {
    expect(nat('dnat to tcp dport map { 80 : 10.9.9.1 }').decision.tag).toBe('drop')
  })
})

describe('what packets change', () => {
  const turns = (ruleset: Ruleset, sights: ReadonlyArray<Sight>): ReadonlyArray<string> => {
    let now = ruleset
    return sights.map((sight) => {
      const next = evaluateHook(now, INPUT, sight)
      now = next.ruleset
      return next.decision.tag
    })
  }
  it('numgen inc goes round', () => {
    const ruleset = chainsOf('numgen inc mod 3 vmap { 0 : accept, 1 : drop, 2 : accept }')
    expect(turns(ruleset, [packet(), packet(), packet(), packet()])).toEqual(['accept', 'drop', 'accept', 'accept'])
  })
  it('a limit lets its burst through, and then what its rate allows', () => {
    const ruleset = chainsOf('limit rate 1/second burst 2 packets accept')
    expect(
      turns(
        ruleset,
        [0, 0, 0, 500, 1000].map((ms) => packet({}, ms)),
      ),
    ).toEqual(['accept', 'accept', 'drop', 'drop', 'accept'])
  })
  it('port knocking opens a port for a while', () => {
    const ruleset = rulesetOf(`table ip t { set open { type ipv4_addr; flags dynamic,timeout; timeout 10s; size 8; }
      chain a { type filter hook input priority 0; policy drop; tcp dport 1001 add @open { ip saddr } drop
        ip saddr @open accept
      }
    }`)
    const knock = packet({ 'tcp dport': 1001 })
    expect(turns(ruleset, [packet(), knock, packet({}, 9999), packet({}, 10_000)])).toEqual([
      'drop',
      'drop',
      'accept',
      'drop',
    ])
  })
  it('a limit per source is one for each element', () => {
    const ruleset = rulesetOf(`table ip t { set who { type ipv4_addr; flags dynamic,timeout; timeout 1m; size 8; }
      chain a { type filter hook input priority 0; update @who { ip saddr limit rate over 1/minute burst 1 packets } drop
      }
    }`)
    const other = packet({ 'ip saddr': ip('10.0.0.2') })
    expect(turns(ruleset, [packet(), packet(), other, other])).toEqual(['accept', 'drop', 'accept', 'drop'])
  })
})

describe('more of what rules look at', () => {
  it.each([
    ['fib daddr type local', { 'fib daddr type': 2 }, true],
    ['fib saddr . iif oif missing', { 'fib saddr iif oif': 0 }, true],
    ['fib saddr . iif oif exists', { 'fib saddr iif oif': 3 }, true],
    ['ct status dnat', { 'ct  status': 32 }, true],
    ['ct status dnat', { 'ct  status': 16 }, false],
    ['ct mark 0x10', { 'ct  mark': 16 }, true],
    ['meta pkttype broadcast', { 'meta pkttype': 1 }, true],
    ['meta pkttype { multicast, other }', { 'meta pkttype': 1 }, false],
    ['ip ttl < 2', { 'ip ttl': 1 }, true],
    ['tcp flags syn / syn,ack', { 'tcp flags': 2 }, true],
    ['tcp flags syn / syn,ack', { 'tcp flags': 18 }, false],
    ['tcp flags ! syn', { 'tcp flags': 16 }, true],
    ['symhash mod 2 1', {}, false],
    ['numgen random mod 4 0', {}, true],
    ['iifname . tcp dport { "eth0" . 22 }', {}, true],
    ['iifname . ip saddr { "eth*" . 10.0.0.0/8 }', {}, true],
  ] as ReadonlyArray<readonly [string, Fields, boolean]>)('%s of %o: %s', (match, fields, isMatch) => {
    expect(said(chainsOf(`${match} accept`), packet(fields))).toBe(isMatch ? 'accept' : 'drop')
  })
  it('two ports that must each be another, beside each other, are one comparison: nft 1.0.6 means "not both"', () => {
    const ruleset = chainsOf('tcp sport != 5 tcp dport != 22 accept')
    expect(said(ruleset, packet({ 'tcp sport': 5 }))).toBe('drop')
    expect(said(ruleset, packet({ 'tcp sport': 6 }))).toBe('accept')
  })
  it('bounds that exclude each other never hold, though they are listed as a range', () => {
    expect(said(chainsOf('ip ttl < 5 ip ttl > 10 accept'), packet({ 'ip ttl': 3 }))).toBe('drop')
  })
  it('what cannot be rejected so is not counted', () => {
    const after = evaluateHook(
      chainsOf('counter reject with tcp reset'),
      INPUT,
      packet({ 'meta l4proto': 17, 'tcp dport': 80 }),
    )
    expect(after.decision.tag).toBe('drop')
    expect(listed(after)).toContain('meta l4proto tcp counter packets 0 bytes 0 reject')
  })
  it.each([
    ['snat to 10.9.9.1-10.9.9.4 persistent', { kind: 'snat', flags: ['persistent'] }],
    ['masquerade random', { kind: 'masquerade', address: null, flags: ['random'] }],
    ['tcp dport 22 masquerade to :1024-2048', { kind: 'masquerade', port: { from: 1024, to: 2048 } }],
  ])('%s', (rule, wish) => {
    const ruleset = rulesetOf(`table ip t { chain a { type nat hook postrouting priority srcnat; ${rule}; }\n}`)
    expect(evaluateHook(ruleset, { ...INPUT, hook: 'postrouting' }, packet()).decision).toMatchObject({ wish })
  })
  it('redirect asks for a port only', () => {
    const ruleset = rulesetOf(
      'table ip t { chain a { type nat hook prerouting priority dstnat; tcp dport 22 redirect to :2222; }\n}',
    )
    expect(evaluateHook(ruleset, PREROUTING, packet()).decision).toMatchObject({
      wish: { kind: 'redirect', address: null, port: { from: 2222 } },
    })
  })
})

describe('many packets through one ruleset', () => {
  const rules = `table ip t { counter k { }
    chain a { type filter hook input priority 0; policy drop; counter name k; tcp dport 22 log jump b; }
    chain b { accept comment "the way in"; }
  }`
  it('are counted in the run, and in the ruleset when it is settled', () => {
    const before = rulesetOf(rules)
    const run = runOf(before)
    for (let i = 0; i < 3; i++) askHook(run, INPUT, packet())
    expect(listed({ ruleset: run.ruleset })).toContain('packets 0 bytes 0')
    expect(listed({ ruleset: settled(run) })).toContain('packets 3 bytes 180')
    askHook(run, INPUT, packet())
    expect(listed({ ruleset: settled(run) })).toContain('packets 4 bytes 240')
    expect(listed({ ruleset: before })).toContain('packets 0 bytes 0')
  })
  it('say which rule decided, with family, table, chain, handle and text', () => {
    const { by, base } = askHook(runOf(rulesetOf(rules)), INPUT, packet())
    expect(by).toMatchObject({ family: 'ip', table: 't', chain: 'b', rule: { handle: 6 } })
    expect(base).toEqual({ family: 'ip', table: 't', chain: 'a' })
    expect(by === null ? '' : showPlace(by, NOW.host)).toBe('ip t b handle 6: accept comment "the way in"')
  })
  it('say which policy decided', () => {
    expect(askHook(runOf(rulesetOf(rules)), INPUT, packet({ 'tcp dport': 23 }))).toEqual({
      tag: 'drop',
      by: null,
      base: { family: 'ip', table: 't', chain: 'a' },
    })
  })
  it('are followed rule by rule, if that is wanted', () => {
    const run = runOf(rulesetOf(rules), true)
    askHook(run, INPUT, packet())
    expect(run.effects.map(({ tag, by }) => `${tag} ${by.chain}`)).toEqual([
      'matched a',
      'log a',
      'matched a',
      'matched b',
    ])
  })
})

describe('the table of the engine', () => {
  it('is read by nft as it is printed, with its elements', () => {
    const elements = [
      bridgeElement(ns('a'), ifName('br0')),
      subnetElement(ns('a'), ifName('br0'), cidr('172.18.0.0/16')),
      masqueradeElement(ns('a'), cidr('172.18.0.0/16')),
    ]
    const script = elements.map((each) => `add element inet cnm ${each.set} ${elementText(each)}`)
    const ruleset = rulesetOf(`${skeletonText()}\n${script.join('\n')}\n`)
    expect(listed({ ruleset })).toContain('elements = { "br0" . 172.18.0.0/16 }')
    const gone = elements.map((each) => `delete element inet cnm ${each.set} ${elementKeyText(each)}`).join('\n')
    const after = nft(ruleset, `${gone}\n`, NOW, { file: 'rules', json: false, handles: false })
    expect([after.status, listed(after).includes('elements')]).toEqual([0, false])
  })
})
