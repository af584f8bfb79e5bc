// Rulesets of nftables for the namespaces of stack-programs.ts, which its packets (stack-tries.ts) meet: what hosts have that filter,
// translate and mark.

import fc from 'fast-check'
import type { Ns } from '../../src/net/name.ts'
import { room } from './stack-links.ts'

/** What nft(8) is given in a namespace. */
export type Ruled = Readonly<{ ns: Ns; script: string }>

const chain = (
  family: string,
  name: string,
  type: string,
  hook: string,
  priority: number,
  ...rules: string[]
): string =>
  `table ${family} ${name} { chain ${hook} { type ${type} hook ${hook} priority ${priority}; ${rules.join('; ')}; } }`

const DISCOVERY = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'

const SCRIPTS: ReadonlyArray<string> = [
  chain('ip', 'nat', 'nat', 'postrouting', 100, 'oifname "v1" masquerade'),
  chain('ip6', 'nat', 'nat', 'postrouting', 100, 'masquerade'),
  chain('ip', 'nat', 'nat', 'postrouting', 100, 'ip saddr 10.0.0.0/24 snat to 10.0.1.1'),
  chain('ip', 'nat', 'nat', 'prerouting', -100, 'meta l4proto { tcp, udp } dnat to 10.0.1.2'),
  chain('inet', 'nat', 'nat', 'output', -100, 'tcp dport 7000-7009 dnat ip to 10.0.0.2'),
  chain('inet', 'nat', 'nat', 'prerouting', -100, 'tcp dport 7000-7002 redirect to :7003'),
  chain(
    'inet',
    'filter',
    'filter',
    'input',
    0,
    'udp dport 7000-7002 reject',
    'tcp dport 7000-7002 reject with tcp reset',
  ),
  chain('inet', 'filter', 'filter', 'input', 0, 'meta l4proto { icmp, tcp } reject with icmpx admin-prohibited'),
  chain('ip', 'filter', 'filter', 'forward', 0, 'ip daddr 10.0.1.0/24 reject with icmp host-prohibited'),
  chain('ip6', 'filter', 'filter', 'forward', 0, 'reject with icmpv6 no-route'),
  chain(
    'inet',
    'filter',
    'filter',
    'forward',
    0,
    'policy drop',
    'ct state established,related accept',
    'iifname "v0" accept',
  ),
  chain(
    'inet',
    'filter',
    'filter',
    'input',
    0,
    'policy drop',
    'ct state established,related accept',
    DISCOVERY,
    'ip saddr 10.0.0.0/24 accept',
  ),
  chain('inet', 'filter', 'filter', 'output', 0, 'meta l4proto udp drop'),
  chain('ip', 'mangle', 'route', 'output', -150, 'meta l4proto { icmp, udp } meta mark set 3'),
  chain('inet', 'mangle', 'filter', 'prerouting', -150, 'meta mark set 3'),
  chain('bridge', 'filter', 'filter', 'forward', 0, 'ip daddr 10.0.0.3 drop'),
  chain('arp', 'filter', 'filter', 'input', 0, 'arp operation request drop'),
]

const ruled: fc.Arbitrary<Ruled> = fc.record({ ns: room, script: fc.constantFrom(...SCRIPTS) })

/** Most programs have none. */
export const rulesets: fc.Arbitrary<ReadonlyArray<Ruled>> = fc.oneof(
  { weight: 5, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(ruled, { minLength: 1, maxLength: 2 }) },
)
