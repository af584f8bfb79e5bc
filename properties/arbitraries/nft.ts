// Scripts of nft: names few enough to collide, rules of every kind of match and statement, valid more often than not.

import fc from 'fast-check'

const of = (...words: ReadonlyArray<string>): fc.Arbitrary<string> => fc.constantFrom(...words)
const family = of('ip', 'ip', 'inet', 'inet', 'ip6')
const table = of('t', 'u')
const chain = of('a', 'b', 'c')
const setName = of('s', 'v', 'w')

const octet = fc.nat(3)
const ip4 = fc.tuple(octet, octet).map(([a, b]) => `10.0.${a}.${b}`)
const prefix4 = fc.tuple(octet, fc.constantFrom(8, 23, 24, 25, 30, 32)).map(([a, bits]) => `10.0.${a}.0/${bits}`)
const range4 = fc.tuple(octet, octet, fc.nat(9)).map(([a, b, more]) => `10.0.${a}.${b}-10.0.${a}.${b + more}`)
const ip6 = fc.nat(9).map((n) => `fd00::${n.toString(16)}`)
const prefix6 = fc.constantFrom('fd00::/64', 'fe80::/10', 'fd00::8/125', '::/0')
const port = fc.constantFrom('22', '53', '80', '443', 'ssh', 'http', '8080', '65535')
const ports = fc.oneof(
  port,
  fc.tuple(fc.nat(50), fc.nat(20)).map(([a, more]) => `${a + 1}-${a + more + 1}`),
)
const listOf = (item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => `{ ${items.join(', ')} }`)
const orList = (item: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(item, listOf(item))
const join = (...parts: ReadonlyArray<fc.Arbitrary<string>>): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((words) => words.filter((word) => word !== '').join(' '))
const maybeNot = of('', '', '', '!=')

const address4 = fc.oneof(ip4, prefix4, range4)
const address6 = fc.oneof(ip6, prefix6)
const state = of('new', 'established', 'related', 'invalid')

const match4 = fc.oneof(
  join(of('ip saddr', 'ip daddr'), maybeNot, orList(address4)),
  join(of('ip protocol'), maybeNot, orList(of('tcp', 'udp', 'icmp', '47'))),
  join(of('ip ttl', 'ip length'), of('', '<', '>=', '!='), fc.nat(255).map(String)),
  join(of('icmp type'), maybeNot, orList(of('echo-request', 'echo-reply', 'time-exceeded', '13'))),
  join(
    of('ip saddr'),
    of('', '!='),
    setName.map((name) => `@${name}`),
  ),
  join(of('ip saddr . tcp dport'), listOf(join(ip4, of('.'), port))),
)
const match6 = fc.oneof(
  join(of('ip6 saddr', 'ip6 daddr'), maybeNot, orList(address6)),
  join(of('icmpv6 type'), maybeNot, orList(of('echo-request', 'nd-neighbor-solicit', 'packet-too-big'))),
  join(of('ip6 hoplimit'), of('', '<', '>'), fc.nat(255).map(String)),
)
const matchAny = fc.oneof(
  join(of('tcp dport', 'tcp sport', 'udp dport', 'th dport'), maybeNot, orList(ports)),
  join(
    of('tcp flags'),
    of('syn', 'syn,ack', '== syn', '!= ack', '& (fin|syn) == syn', 'syn / fin,syn,rst,ack', '! rst'),
  ),
  join(of('iifname', 'oifname'), maybeNot, orList(of('lo', '"eth0"', 'wlan0', 'br-lan'))),
  of('iif lo', 'oif "lo"', 'iifname "veth*"'),
  join(
    of('ct state'),
    fc.uniqueArray(state, { minLength: 1, maxLength: 3 }).map((all) => all.join(',')),
  ),
  join(of('ct state'), maybeNot, listOf(state)),
  of('ct status dnat', 'ct status snat,dnat', 'ct mark 0x10', 'ct mark & 0xf == 0x1', 'ct direction reply'),
  join(of('meta l4proto'), maybeNot, orList(of('tcp', 'udp', 'icmp', '47'))),
  join(of('meta mark', 'mark'), maybeNot, orList(of('1', '0x10', '2-5', '0xff'))),
  of('meta pkttype broadcast', 'meta length > 100', 'meta length 100-200', 'meta nfproto ipv4', 'meta nfproto ipv6'),
  of(
    'fib daddr type local',
    'fib daddr type { local, unicast }',
    'fib saddr . iif oif missing',
    'fib saddr oif exists',
  ),
  of('numgen inc mod 2 0', 'numgen random mod 10 < 5', 'symhash mod 4 1', 'jhash ip saddr mod 3 seed 0x5 2'),
  join(of('iifname . tcp dport'), listOf(join(of('lo', 'eth0'), of('.'), port))),
)

const verdict = fc.oneof(
  of('accept', 'drop', 'return', 'continue', 'accept', 'drop'),
  chain.map((name) => `jump ${name}`),
  chain.map((name) => `goto ${name}`),
)
const action = fc.oneof(
  { weight: 4, arbitrary: verdict },
  {
    weight: 3,
    arbitrary: of(
      'counter',
      'counter packets 3 bytes 99',
      'counter name k',
      'log prefix "x: "',
      'log level info group 1',
      'limit rate 5/second',
      'limit rate over 10/minute burst 3 packets',
      'limit rate 10 kbytes/second',
      'notrack',
      'reject',
      'reject with tcp reset',
      'reject with icmp type host-unreachable',
      'reject with icmpx type admin-prohibited',
      'reject with icmpv6 type no-route',
    ),
  },
  {
    weight: 2,
    arbitrary: of(
      'meta mark set 0x5',
      'meta mark set ct mark',
      'ct mark set meta mark',
      'meta mark set meta mark | 0x10',
      'meta mark set tcp dport map { 22 : 1, 80 : 2 }',
      'ip dscp set cs1',
    ),
  },
  {
    weight: 2,
    arbitrary: of(
      'dnat to 10.0.0.1',
      'dnat ip to 10.0.0.1',
      'tcp dport 80 dnat to 10.0.0.1:8080',
      'tcp dport 80 redirect to :8080',
      'masquerade',
      'ip saddr 10.0.0.0/8 masquerade random',
      'snat to 10.0.0.1-10.0.0.4',
      'dnat to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc
        .tuple(of('tcp dport', 'th sport'), port, verdict)
        .map(([field, key, said]) => `${field} vmap { ${key} : ${said} }`),
      setName.map((name) => `add @${name} { ip saddr }`),
      setName.map((name) => `update @${name} { ip saddr timeout 30s }`),
      of(
        'ct state vmap { new : accept, established : drop }',
        'ip saddr vmap { 10.0.0.0/24 : accept, 10.0.1.0/24 : drop }',
      ),
    ),
  },
)
const comment = of('', '', '', 'comment "why"')

/** One rule's text; it need not make sense. */
export const ruleText: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(match4, match6, matchAny, matchAny), { maxLength: 3 }), action, comment)
  .map(([matches, act, why]) => [...matches, act, why].filter((word) => word !== '').join(' '))

const chainSpec = of(
  '',
  '',
  ' { type filter hook input priority filter; policy accept; }',
  ' { type filter hook forward priority filter + 5; policy drop; }',
  ' { type filter hook prerouting priority -300; }',
  ' { type nat hook prerouting priority dstnat; }',
  ' { type nat hook postrouting priority srcnat; }',
  ' { type nat hook forward priority 0; }',
  ' { type route hook output priority mangle; }',
)
const setSpec = of(
  '{ type ipv4_addr; }',
  '{ type ipv4_addr; flags interval; }',
  '{ type ipv4_addr; flags interval; auto-merge; }',
  '{ type ipv4_addr; flags dynamic,timeout; timeout 1m; size 10; }',
  '{ type ipv4_addr; size 2; }',
  '{ type inet_service; flags interval; }',
)
const elements = listOf(address4)
const place = fc.tuple(family, table).map((words) => words.join(' '))
const inChain = fc.tuple(place, chain).map((words) => words.join(' '))

/** One command's text. */
export const commandText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: join(of('add table'), place) },
  { weight: 6, arbitrary: fc.tuple(inChain, chainSpec).map(([where, spec]) => `add chain ${where}${spec}`) },
  { weight: 12, arbitrary: join(of('add rule', 'add rule', 'insert rule'), inChain, ruleText) },
  { weight: 4, arbitrary: join(of('add set', 'create set'), place, setName, setSpec) },
  {
    weight: 4,
    arbitrary: join(of('add element', 'add element', 'delete element', 'create element'), place, setName, elements),
  },
  { weight: 1, arbitrary: join(of('add counter', 'delete counter'), place, of('k')) },
  { weight: 2, arbitrary: join(of('delete chain', 'flush chain'), inChain) },
  { weight: 1, arbitrary: join(of('delete set', 'flush set'), place, setName) },
  { weight: 1, arbitrary: join(of('delete table', 'flush table', 'create table'), place) },
  { weight: 1, arbitrary: join(of('rename chain'), inChain, chain) },
)

/** A table with chains, sets and a counter, for what comes after to be about. */
const start: fc.Arbitrary<string> = fc.tuple(family, setSpec, setSpec).map(
  ([kind, one, two]) => `table ${kind} t {
 counter k { packets 1 bytes 2; }
 set s ${one}
 set v ${two}
 chain c { }
 chain a { type filter hook input priority filter; }
 chain b { type nat hook prerouting priority dstnat; }
}
`,
)

/** A script of some commands. */
export const scriptText: fc.Arbitrary<string> = fc
  .array(commandText, { minLength: 1, maxLength: 5 })
  .map((commands) => commands.join('\n'))

/** Transactions one after the other. */
export const histories: fc.Arbitrary<ReadonlyArray<string>> = fc
  .tuple(start, fc.array(scriptText, { minLength: 1, maxLength: 6 }))
  .map(([first, more]) => [first, ...more])

/** Text that is nearly a script. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 60, unit: 'binary' }),
  fc
    .tuple(scriptText, fc.nat(), fc.string({ maxLength: 4 }))
    .map(
      ([text, at, noise]) => text.slice(0, at % (text.length + 1)) + noise + text.slice((at + 3) % (text.length + 1)),
    ),
  fc
    .array(
      of(
        'add',
        'rule',
        '{',
        '}',
        ';',
        '\n',
        'tcp',
        'dport',
        '22',
        '$x',
        'define x =',
        '@',
        '"',
        '-',
        '/',
        ',',
        'map',
        'elements',
        ':',
        '.',
        '(',
      ),
      {
        maxLength: 20,
      },
    )
    .map((words) => words.join(' ')),
)
