// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

// Every way in which a file can be wrong: one clear sentence, at the right line and column.

import { describe, expect, test } from 'vitest'
import { LARGEST } from '../../src/compose/read/read.ts'
import { readMany, refusalsOf } from './lib.ts'

const NET = (body: string): string => `services:\n  a: {networks: [n]}\nnetworks:\n  n: ${body}\n`
const ADDRESS = (asked: string, network: string): string =>
  `services:\n  a:\n    networks:\n      n:\n        ${asked}\nnetworks:\n  n: ${network}\n`

const TABLE: ReadonlyArray<readonly [string, string, ReadonlyArray<string>]> = [
  ['empty file', '', ['1:1: the file is empty; a Compose file has at least "services:"']],
  ['only comments', '# nothing\n---\n', ['1:1: the file is empty; a Compose file has at least "services:"']],
  ['not a mapping', '- a\n- b\n', ['1:1: the file must be a mapping, not a list']],
  ['a single value', '\n  hello\n', ['2:3: the file must be a mapping, not a single value']],
  ['NUL', 'services:\n  a\u0000: {}\n', ['2:4: this is not a text file: it holds the control character 0x00']],
  ['tab', 'services:\n\ta: {}\n', ['2:1: not valid YAML: a tab is used to indent; YAML allows only spaces']],
  [
    'open bracket',
    'services:\n  a: {ports: ["80:80"\n  b: {}\n',
    ['2:14: not valid YAML: the bracket that opens here is not closed'],
  ],
  [
    'two colons',
    'services:\n  a: b: c\n',
    [
      '2:6: not valid YAML: a "key: value" inside another value; is the line indented like its neighbours, or should the value be in quotes?',
    ],
  ],
  [
    'open quote',
    'services:\n  web:\n    ports:\n      - "80:80\n  db: {}\n',
    ['4:9: not valid YAML: the quote that opens here is not closed'],
  ],
  [
    'wrong indentation',
    'services:\n  web:\n      scale: 1\n    ports: []\n',
    ['4:1: not valid YAML: the indentation does not fit the lines above'],
  ],
  ['unknown alias', 'services:\n  a: *x\n', ['2:6: not valid YAML: the alias *x has no anchor &x before it']],
  [
    'list as key',
    'services:\n  [a]: {}\n',
    ['2:3: not valid YAML: a key must be a text, not a list, a mapping or an alias'],
  ],
  [
    'duplicate key',
    'services:\n  a: {}\n  b: {}\n  a: {}\n',
    ['4:3: the key "a" is here a second time; the first is on line 2'],
  ],
  ['no services', 'networks: {n: {}}\n', ['1:1: the file needs the key "services"']],
  ['empty services', 'name: x\nservices:\n', ['2:1: the file needs the key "services"']],
  [
    'wrong types',
    'services:\n  a: 5\n  b:\n    ports: "80:80"\n    networks: {n: [x]}\n  c: {deploy: {replicas: many}}\n',
    [
      '2:6: services.a must be a mapping, not 5',
      '4:12: services.b.ports must be a list of ports, not "80:80"',
      '5:19: services.b.networks.n must be a mapping, not a list',
      '6:26: services.c.deploy.replicas must be a whole number, 0 or more, not "many"',
    ],
  ],
  [
    'unknown keys',
    'services:\n  a:\n    networks: {n: {ipv4_adress: 10.0.0.2}}\n    ports: [{target: 80, publish: 90}]\nnetworks:\n  n: {internl: true, colour: red}\n',
    [
      '3:20: services.a.networks.n has no key "ipv4_adress"; did you mean "ipv4_address"?',
      '4:26: services.a.ports[0] has no key "publish"; did you mean "published"?',
      '6:7: networks.n has no key "internl"; did you mean "internal"?',
      '6:22: networks.n has no key "colour"; known: attachable, driver, driver_opts, enable_ipv4, enable_ipv6, external, internal, ipam, labels, name',
    ],
  ],
  [
    'mistyped keys of ours',
    'service:\n  a: {}\nservices:\n  a: {network: [n], port: ["80:80"]}\n',
    [
      '1:1: the file has no key "service"; did you mean "services"?',
      '4:7: services.a has no key "network"; did you mean "networks"?',
      '4:21: services.a has no key "port"; did you mean "ports"?',
    ],
  ],
  [
    'missing target',
    'services:\n  a:\n    ports:\n      - published: 80\n',
    ['4:9: services.a.ports[0] needs the key "target"'],
  ],
  [
    'bad ports',
    'services:\n  a:\n    ports:\n      - "70000:80"\n      - {target: 0}\n',
    [
      '4:9: services.a.ports[0]: "70000" is not a port (1 to 65535)',
      '5:18: services.a.ports[1].target: "0" is not a port (1 to 65535)',
    ],
  ],
  [
    'required variable',
    'services:\n  a:\n    image: x:${TAG:?set TAG first}\n    hostname: ${H?}\n',
    ['3:12: the variable TAG is required: set TAG first', '4:15: the variable H is required'],
  ],
  [
    'bad variable',
    'services:\n  a: {command: "echo $ 5"}\n',
    ['2:16: "$" is not followed by the name of a variable in "echo $ 5"; write "$$" for a plain dollar sign'],
  ],
  [
    'unknown network',
    'services:\n  a:\n    networks:\n      - frontt\nnetworks:\n  front: {}\n  back: {}\n',
    ['4:9: services.a.networks: there is no network "frontt"; did you mean "front"?'],
  ],
  [
    'a network twice in a list',
    'services:\n  a: {networks: [n, m, n]}\nnetworks: {n: , m: }\n',
    ['2:24: the item of services.a.networks "n" is used twice; the first is on line 2'],
  ],
  [
    'not an address',
    ADDRESS('ipv4_address: 10.0.0.256', '{}'),
    ['5:23: services.a.networks.n.ipv4_address: "10.0.0.256" is not an IP address'],
  ],
  [
    'an address of the other family',
    ADDRESS('ipv6_address: 10.0.0.2', '{}'),
    ['5:23: services.a.networks.n.ipv6_address: "10.0.0.2" is not an IPv6 address'],
  ],
  [
    'an address outside its subnet',
    ADDRESS('ipv4_address: 10.0.1.2', '{ipam: {config: [{subnet: 10.0.0.0/24}]}}'),
    ['5:23: the service "a" asks for 10.0.1.2, which is not in the network "n" (10.0.0.0/24)'],
  ],
  [
    'an address without a subnet',
    ADDRESS('ipv4_address: 10.0.1.2', '{}'),
    [
      '5:23: the service "a" asks for 10.0.1.2, but the network "n" has no subnet of its own; give it one under "ipam: config:"',
    ],
  ],
  [
    'an IPv6 address without IPv6',
    ADDRESS('ipv6_address: fd00::2', '{ipam: {config: [{subnet: "fd00::/64"}]}}'),
    ['5:23: the service "a" asks for fd00::2, but the network "n" does not have "enable_ipv6: true"'],
  ],
  [
    "the gateway's address",
    ADDRESS('ipv4_address: 10.0.0.1', '{ipam: {config: [{subnet: 10.0.0.0/24}]}}'),
    ['5:23: the service "a" asks for 10.0.0.1, which is the gateway of the network "n"'],
  ],
  [
    'the broadcast address',
    ADDRESS('ipv4_address: 10.0.0.255', '{ipam: {config: [{subnet: 10.0.0.0/24}]}}'),
    ['5:23: the service "a" asks for 10.0.0.255, which is the broadcast address of the network "n"'],
  ],
  [
    'an auxiliary address',
    ADDRESS('ipv4_address: 10.0.0.9', '{ipam: {config: [{subnet: 10.0.0.0/24, aux_addresses: {nas: 10.0.0.9}}]}}'),
    ['5:23: the service "a" asks for 10.0.0.9, which is the auxiliary address "nas" of the network "n"'],
  ],
  [
    'the same address twice',
    'services:\n  a: {networks: {n: {ipv4_address: 10.0.0.5}}}\n  b: {networks: {n: {ipv4_address: 10.0.0.5}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n',
    ['3:36: the service "b" asks for 10.0.0.5 on the network "n", which the service "a" has already (line 2)'],
  ],
  [
    'an address for several replicas',
    'services:\n  a: {scale: 2, networks: {n: {ipv4_address: 10.0.0.5}}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}\n',
    ['2:46: the service "a" has 2 replicas, which cannot share one ipv4_address'],
  ],
  [
    'host bits',
    NET('{ipam: {config: [{subnet: 10.0.0.7/24}]}}'),
    ['4:32: the network "n": subnet 10.0.0.7/24 has host bits set; did you mean 10.0.0.0/24?'],
  ],
  [
    'not a subnet',
    NET('{ipam: {config: [{subnet: 10.0.0.0}]}}'),
    ['4:32: networks.n.ipam.config[0].subnet: "10.0.0.0" is not a subnet such as 172.20.0.0/16'],
  ],
  [
    'things outside their subnet',
    NET(
      '{ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.1.1, ip_range: 10.0.0.0/16, aux_addresses: {x: 10.9.0.1}}]}}',
    ),
    [
      '4:54: the network "n": gateway 10.0.1.1 is not in its subnet 10.0.0.0/24',
      '4:74: the network "n": ip_range 10.0.0.0/16 is not in its subnet 10.0.0.0/24',
      '4:106: the network "n": auxiliary address "x" 10.9.0.1 is not in its subnet 10.0.0.0/24',
    ],
  ],
  [
    'a gateway without a subnet',
    NET('{ipam: {config: [{gateway: 10.0.0.1}]}}'),
    ['4:23: networks.n.ipam.config[0] needs the key "subnet"'],
  ],
  [
    'overlapping subnets',
    'services: {a: {}}\nnetworks:\n  n:\n    ipam: {config: [{subnet: 10.0.8.0/24}]}\n  m:\n    ipam: {config: [{subnet: 10.0.0.0/16}]}\n',
    ['6:30: the networks "n" (10.0.8.0/24, line 4) and "m" (10.0.0.0/16) overlap'],
  ],
  [
    'an external network with attributes',
    'services: {a: {}}\nnetworks:\n  n: {external: true, driver: overlay}\n',
    ['3:23: networks.n: the network is external, so "driver" cannot be set here'],
  ],
  [
    'a circle of network_mode',
    'services:\n  a: {network_mode: "service:b"}\n  b: {network_mode: "service:c"}\n  c: {network_mode: "service:b"}\n',
    ["3:21: services share each other's network in a circle: b -> c -> b"],
  ],
  [
    'network_mode of oneself',
    'services:\n  a: {network_mode: "service:a"}\n',
    ["2:21: services share each other's network in a circle: a -> a"],
  ],
  [
    'network_mode of an unknown service',
    'services:\n  web: {}\n  b: {network_mode: "service:wbe"}\n',
    ['3:21: services.b.network_mode: there is no service "wbe"; did you mean "web"?'],
  ],
  [
    'network_mode of an inactive service',
    'services:\n  web: {profiles: [p]}\n  b: {network_mode: "service:web"}\n',
    ['3:21: services.b.network_mode: the service "web" is not active; it needs a profile: p'],
  ],
  [
    'network_mode and what does not go with it',
    'services:\n  web: {}\n  b: {network_mode: "service:web", networks: [default], ports: [80]}\n  c: {network_mode: host, networks: [default]}\n',
    [
      '3:36: the service "b" has network_mode "service:web", which does not go together with "networks"',
      '3:57: the service "b" has network_mode "service:web", which does not go together with "ports"',
      '4:27: the service "c" has network_mode "host", which does not go together with "networks"',
    ],
  ],
  [
    'a foreign container',
    'services:\n  a: {network_mode: "container:other"}\n',
    [
      '2:21: network_mode "container:other" of a container outside this project is not supported yet; use "service:NAME" for a service of this file',
    ],
  ],
  [
    'include',
    'include: [other.yaml]\nservices: {a: {}}\n',
    ['1:1: "include" is not supported yet; give the files one after the other'],
  ],
  [
    'container names',
    'services:\n  a: {container_name: x}\n  b: {container_name: x}\n  c: {scale: 2, container_name: y}\n  d-1: {}\n  d: {scale: 2}\n',
    ['4:33: the service "c" has 2 replicas, which cannot share one container_name'],
  ],
  [
    'names used twice',
    'services:\n  a: {container_name: x}\n  b: {container_name: x}\n  d-1: {}\n  d: {scale: 2}\n',
    [
      '3:3: the container name "x" is used twice; the first is on line 2',
      '5:3: the container name "d-1" is used twice; the first is on line 4',
    ],
  ],
  [
    'two networks of one name',
    'services:\n  a: {networks: [n, m]}\nnetworks:\n  n: {name: x}\n  m: {name: x}\n',
    ['5:3: the network name "x" is used twice; the first is on line 4'],
  ],
  [
    'scale and replicas',
    'services:\n  a: {scale: 2, deploy: {replicas: 3}}\n',
    ['2:14: services.a.scale: 2 is not the 3 of deploy.replicas; give one of them'],
  ],
  [
    'a group address',
    'services:\n  a: {mac_address: "01:00:5e:00:00:01"}\n',
    ['2:20: services.a.mac_address: "01:00:5e:00:00:01" is a group address; no interface can have it'],
  ],
]

test.each(TABLE)('%s', (_, text, sentences) => {
  expect(refusalsOf(text)).toEqual(sentences.map((sentence) => `compose.yaml:${sentence}`))
})

describe('expectations', () => {
  const expectation = (text: string) =>
    refusalsOf(`services:\n  web: {}\n  api: {}\nx-cnm:\n  expect:\n    - ${text}\n`)
  const GRAMMAR = 'The grammar is: FROM reaches TO [on tcp/PORT]  or  FROM does not reach TO [on tcp/PORT]'

  test.each([
    ['web reach api', 'the second word is not "reaches" or "does not reach"'],
    ['web does not reaches api', 'the second word is not "reaches" or "does not reach"'],
    ['web reaches', 'it does not say who is reached'],
    ['web reaches api at tcp/80', '"at" stands where "on" should'],
    ['web reaches api on', 'a port is missing after "on"'],
    ['web reaches api on 80/tcp', '"80/tcp" is not a port such as tcp/8080; write tcp/80'],
    ['web reaches api on 80', '"80" is not a port such as tcp/8080; write tcp/80'],
    ['web reaches api on http', '"http" is not a port such as tcp/8080'],
    ['web reaches api on tcp/99999', '"99999" is not a port (1 to 65535)'],
    ['web reaches api on tcp/80 please', '"please" is too much'],
    ['host reaches host', 'no container is named'],
  ])('%s', (text, reason) =>
    expect(expectation(text)).toEqual([
      `compose.yaml:6:7: cannot read the expectation "${text}": ${reason}. ${GRAMMAR}`,
    ]),
  )

  test('unknown names', () =>
    expect(expectation('web reaches apii')).toEqual([
      'compose.yaml:6:7: there is no service or container "apii"; did you mean "api"?; "host" and "internet" may be used too',
    ]))

  test.each([
    'web reaches api',
    'web  does not  reach api on udp/53',
    'host reaches web on tcp/80',
    'web does not reach internet',
    'internet reaches shop-web-1 on sctp/9',
  ])('%s', (text) => expect(expectation(text)).toEqual([]))
})

describe('too much', () => {
  test('a file of 10 MB is refused at once', () => {
    const begun = performance.now()
    expect(refusalsOf(`services: {a: {}}\n${'#'.repeat(10 * LARGEST)}`)).toEqual([
      `compose.yaml:1:1: the file has ${10 * LARGEST + 18} bytes; a Compose file may have ${LARGEST}`,
    ])
    expect(performance.now() - begun).toBeLessThan(1000)
  })

  test.each([
    ['['.repeat(100_000), '1:101'],
    ['- '.repeat(100_000), '1:201'],
    ['{a: '.repeat(100_000), '1:401'],
    ['? '.repeat(100_000), '1:201'],
  ])('deep nesting (%#)', (text, at) =>
    expect(refusalsOf(text)).toEqual([`compose.yaml:${at}: the file nests more than 100 levels deep`]),
  )

  test('aliases that stand for too much', () => {
    const lines = Array.from({ length: 12 }, (_, i) => `k${i}: &k${i} [${`*k${i - 1}, `.repeat(9)}]`)
    expect(refusalsOf(['k: &k-1 [x]', ...lines, 'services: {a: {}}'].join('\n'))).toEqual([
      'compose.yaml:6:40: the aliases of this file stand for more than 100000 values',
    ])
  })

  test('ports, replicas and mistakes have limits', () => {
    expect(refusalsOf('services: {a: {scale: 9, ports: ["1-60000:1-60000"]}}')).toEqual([
      'compose.yaml:1:12: a project may publish and expose 100000 ports',
    ])
    expect(refusalsOf('services: {a: {scale: 100000}}')).toEqual([
      'compose.yaml:1:23: services.a: at most 1000 replicas',
    ])
    const services = Array.from({ length: 1000 }, (_, i) => `  s${i}: {networks: [x]}`).join('\n')
    expect(refusalsOf(`services:\n${services}\n`)).toHaveLength(100)
  })
})

test('no files, and a name that is none', () => {
  expect(readMany([])).toMatchObject({ left: [{ tag: 'NoFile' }] })
  expect(refusalsOf('services: {a: {}}', { projectName: 'My Shop' })).toEqual([
    'compose.yaml:1:1: "My Shop" is not a project name: lower-case letters, digits, "-" and "_", beginning with a letter or digit',
  ])
  expect(refusalsOf('services: {a: {}}', { directory: '/' })).toEqual([
    'compose.yaml:1:1: the project has no name; give one with "name:" at the top of the file',
  ])
})

test('a hostile name cannot write to the terminal', () =>
  expect(refusalsOf('services: {"a\\e[31m": {}}')).toEqual([
    'compose.yaml:1:12: services: "a\\x1b[31m" is not a name: letters, digits, ".", "_" and "-"',
  ]))
