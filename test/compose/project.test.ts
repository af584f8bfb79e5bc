// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

import { describe, expect, test } from 'vitest'
import { containersNamed } from '../../src/compose/project.ts'
import { showCidr } from '../../src/net/cidr.ts'
import { showIp } from '../../src/net/ip.ts'
import { showMac } from '../../src/net/mac.ts'
import { attachmentsOf, containerOf, networkKeysOf, projectOf } from './lib.ts'

describe('files as they are found in the wild', () => {
  test('wordpress and its database share the implicit default network', () => {
    const project = projectOf(`
services:
  db:
    image: mysql:8.0
    volumes: ["db_data:/var/lib/mysql"]
    restart: always
    environment:
      MYSQL_ROOT_PASSWORD: somewordpress
    healthcheck: {test: ["CMD", "true"]}
  wordpress:
    depends_on: [db]
    image: wordpress:latest
    ports:
      - "8000:80"
    environment:
      WORDPRESS_DB_HOST: db:3306
volumes:
  db_data: {}
`)
    expect(project.name).toBe('shop')
    expect(project.notes).toEqual([])
    expect(project.networks.map(({ key, name, driver }) => [key, name, driver])).toEqual([
      ['default', 'shop_default', 'bridge'],
    ])
    expect(networkKeysOf(project, 'db')).toEqual(['default'])
    expect(containerOf(project, 'wordpress')).toMatchObject({ fullName: 'shop-wordpress-1', replica: 1 })
    expect(containerOf(project, 'wordpress').ports).toMatchObject([
      { hostIp: null, hostPorts: { from: 8000, to: 8000 }, containerPort: 80, transport: 'tcp' },
    ])
  })

  test('the voting app is on a front and a back tier', () => {
    const project = projectOf(`
version: "3.9"
services:
  vote:
    build: {context: ./vote, target: dev}
    depends_on: {redis: {condition: service_healthy}}
    ports: ["5000:80"]
    networks: [front-tier, back-tier]
  result:
    build: ./result
    entrypoint: nodemon server.js
    ports: ["5001:80", "127.0.0.1:9229:9229"]
    networks: [front-tier, back-tier]
  worker:
    build: {context: ./worker}
    networks: [back-tier]
  redis:
    image: redis:alpine
    networks: [back-tier]
  db:
    image: postgres:15-alpine
    networks: [back-tier]
  seed:
    build: ./seed-data
    profiles: ["seed"]
    networks: [front-tier]
    restart: "no"
volumes: {db-data: }
networks:
  front-tier:
  back-tier:
`)
    expect(project.containers.map(({ name }) => name)).toEqual(['vote', 'result', 'worker', 'redis', 'db'])
    expect(project.networks.map(({ name }) => name)).toEqual(['shop_front-tier', 'shop_back-tier'])
    expect(networkKeysOf(project, 'vote')).toEqual(['back-tier', 'front-tier'])
    expect(networkKeysOf(project, 'db')).toEqual(['back-tier'])
  })

  test('traefik reads the dollar signs of its labels as plain ones, and an external network is noted', () => {
    const project = projectOf(
      `
services:
  traefik:
    image: "traefik:v3.0"
    command: ["--providers.docker=true"]
    ports: ["80:80", "443:443/tcp", "443:443/udp"]
    networks: [proxy]
  whoami:
    image: traefik/whoami
    labels:
      - "traefik.http.routers.whoami.rule=Host(\`whoami.\${DOMAIN}\`)"
      - "traefik.http.middlewares.m.redirectregex.regex=^/(.*)$$"
    networks: [proxy]
networks:
  proxy: {external: true}
`,
      { env: { DOMAIN: 'localhost' } },
    )
    expect(project.networks).toMatchObject([{ key: 'proxy', name: 'proxy', external: true }])
    expect(project.notes).toEqual([
      {
        at: { file: 'compose.yaml', line: 15, column: 3 },
        text: 'the network "proxy" is external: it is taken as a plain bridge network called "proxy"',
      },
    ])
  })
})

describe('networks', () => {
  test('every key is read', () => {
    const project = projectOf(`
services: {a: {networks: [back]}}
networks:
  back:
    name: backbone
    driver: bridge
    driver_opts: {com.docker.network.bridge.name: br-back, com.docker.network.driver.mtu: 1450}
    internal: true
    attachable: "yes"
    enable_ipv4: true
    enable_ipv6: on
    labels: ["team=data", "bare"]
    ipam:
      driver: default
      config:
        - subnet: 172.28.0.0/16
          ip_range: 172.28.5.0/24
          gateway: 172.28.5.254
          aux_addresses: {printer: 172.28.1.5}
        - subnet: fd00:1::/64
`)
    const [network] = project.networks
    expect(network).toMatchObject({
      key: 'back',
      name: 'backbone',
      driver: 'bridge',
      driverOpts: { 'com.docker.network.bridge.name': 'br-back', 'com.docker.network.driver.mtu': '1450' },
      internal: true,
      attachable: true,
      enableIPv4: true,
      enableIPv6: true,
      external: false,
      labels: { team: 'data', bare: '' },
      at: { line: 4, column: 3 },
    })
    const [v4, v6] = network?.ipam.pools ?? []
    expect(v4?.subnet && showCidr(v4.subnet)).toBe('172.28.0.0/16')
    expect(v4?.ipRange && showCidr(v4.ipRange)).toBe('172.28.5.0/24')
    expect(v4?.gateway && showIp(v4.gateway)).toBe('172.28.5.254')
    expect(Object.entries(v4?.auxAddresses ?? {}).map(([name, ip]) => [name, showIp(ip)])).toEqual([
      ['printer', '172.28.1.5'],
    ])
    expect(v6?.subnet && showCidr(v6.subnet)).toBe('fd00:1::/64')
    expect(v6?.gateway).toBeNull()
  })

  test('one that no active service uses is not created, and noted', () => {
    const project = projectOf('services: {a: {}}\nnetworks:\n  idle: {}\n')
    expect(project.networks.map(({ key }) => key)).toEqual(['default'])
    expect(project.notes.map(({ at, text }) => [at.line, text])).toEqual([
      [3, 'the network "idle" is used by no active service, so it is not created'],
    ])
  })

  test('an IPv6 subnet without enable_ipv6 is noted', () => {
    const project = projectOf(
      'services: {a: {networks: [n]}}\nnetworks:\n  n: {ipam: {config: [{subnet: "fd00::/64"}]}}\n',
    )
    expect(project.notes.map(({ text }) => text)).toEqual([
      'the network "n" does not have "enable_ipv6: true": this subnet is not used',
    ])
  })

  test('`default` can be described like any other', () => {
    const project = projectOf('services: {a: {}}\nnetworks: {default: {name: lan, internal: true}}\n')
    expect(project.networks).toMatchObject([{ key: 'default', name: 'lan', internal: true }])
  })
})

describe('a service on its networks', () => {
  const project = projectOf(`
services:
  app:
    mac_address: 02-42-AC-11-65-43
    hostname: app
    domainname: example.org
    networks:
      slow: {priority: -1, gw_priority: 5}
      fast:
        priority: 1000
        aliases: [backend, app, backend2]
        ipv4_address: 10.5.0.7
        ipv6_address: fd05::7
        interface_name: eth7
      plain:
        mac_address: "02:00:00:00:00:09"
networks:
  slow:
  plain:
  fast:
    enable_ipv6: true
    ipam: {config: [{subnet: 10.5.0.0/24}, {subnet: "fd05::/64"}]}
`)

  test('connects by priority, then by name', () => {
    expect(networkKeysOf(project, 'app')).toEqual(['fast', 'plain', 'slow'])
    expect(attachmentsOf(project, 'app').map(({ gwPriority }) => gwPriority)).toEqual([0, 0, 5])
  })

  test('has the addresses it asks for', () => {
    const [fast] = attachmentsOf(project, 'app')
    expect(fast?.ipv4 && showIp(fast.ipv4)).toBe('10.5.0.7')
    expect(fast?.ipv6 && showIp(fast.ipv6)).toBe('fd05::7')
    expect(fast?.interfaceName).toBe('eth7')
  })

  test('may say in its driver options what its interface is called, and sysctls of it', () => {
    const option = (name: string, value: string) =>
      projectOf(
        `services:\n  a: {networks: {n: {driver_opts: {com.docker.network.endpoint.${name}: "${value}"}}}}\nnetworks: {n: {}}`,
      )
    expect(attachmentsOf(option('ifname', 'lan0'), 'a')[0]?.interfaceName).toBe('lan0')
    const martians = 'net.ipv4.conf.IFNAME.log_martians'
    expect(attachmentsOf(option('sysctls', `${martians}=1`), 'a')[0]?.sysctls).toEqual({ [martians]: '1' })
    for (const wrong of ['kernel.panic=1', `${martians}`, `${martians}=1 2`])
      expect(() => option('sysctls', wrong)).toThrow(/not a sysctl of an interface|not NAME=VALUE/)
  })

  test('is found by its own name and its aliases, each once', () => {
    expect(attachmentsOf(project, 'app')[0]?.aliases).toEqual(['app', 'backend', 'backend2'])
  })

  test("has the service's MAC address on the first network only", () => {
    expect(attachmentsOf(project, 'app').map(({ mac }) => mac && showMac(mac))).toEqual([
      '02:42:ac:11:65:43',
      '02:00:00:00:00:09',
      null,
    ])
  })

  test('has its host name with the domain', () => expect(containerOf(project, 'app').hostname).toBe('app.example.org'))
})

describe('replicas', () => {
  const project = projectOf(`
services:
  web: {deploy: {replicas: 3}, ports: ["8000-8005:80"]}
  job: {scale: "2"}
  off: {deploy: {replicas: 0}}
  one: {container_name: the-one}
x-cnm: {expect: [shop-web-2 reaches one, web reaches the-one, off reaches one]}
`)

  test('are numbered from 1 when there are several', () => {
    expect(project.containers.map(({ name, fullName }) => [name, fullName])).toEqual([
      ['web-1', 'shop-web-1'],
      ['web-2', 'shop-web-2'],
      ['web-3', 'shop-web-3'],
      ['job-1', 'shop-job-1'],
      ['job-2', 'shop-job-2'],
      ['one', 'the-one'],
    ])
  })

  test('answer to the name of their service together', () => {
    expect(containersNamed(project, 'web').map(({ name }) => name)).toEqual(['web-1', 'web-2', 'web-3'])
    expect(containersNamed(project, 'web-2').map(({ name }) => name)).toEqual(['web-2'])
    expect(containersNamed(project, 'internet')).toEqual([])
  })

  test("may be named by Docker's names, and a service without any is noted", () => {
    expect(project.expectations.map(({ from, to }) => [from, to])).toEqual([
      ['web-2', 'one'],
      ['web', 'one'],
    ])
    expect(project.notes.map(({ text }) => text)).toEqual(['not checked: "off reaches one"; "off" has no replicas'])
  })
})

describe('network_mode', () => {
  const project = projectOf(`
services:
  vpn: {ports: ["8080:80"]}
  client: {network_mode: "service:vpn"}
  deeper: {network_mode: "service:client"}
  named: {network_mode: "container:shop-vpn-1"}
  lonely: {network_mode: none}
  open: {network_mode: host, ports: ["80:80"]}
  old: {network_mode: bridge}
  viaHost: {networks: [hostnet]}
networks: {hostnet: {external: true, name: host}}
`)
  const modeOf = (name: string) => containerOf(project, name).mode

  test('none, host and the namespace of another service', () => {
    expect(modeOf('lonely')).toEqual({ tag: 'none' })
    expect(modeOf('open')).toEqual({ tag: 'host' })
    expect(modeOf('client')).toEqual({ tag: 'container', of: 'vpn' })
    expect(modeOf('deeper')).toEqual({ tag: 'container', of: 'client' })
    expect(modeOf('named')).toEqual({ tag: 'container', of: 'vpn' })
  })

  test("an external network called host is the host's namespace", () =>
    expect(modeOf('viaHost')).toEqual({ tag: 'host' }))

  test('ports of a container in the host namespace mean nothing', () => {
    expect(containerOf(project, 'open').ports).toEqual([])
    expect(project.notes.map(({ text }) => text)).toContain(
      "services.open.ports mean nothing here: the container's ports are the host's already",
    )
  })

  test("bridge is Docker's own network, and noted", () => {
    expect(project.networks.map(({ name }) => name)).toEqual(['shop_default', 'bridge'])
    expect(attachmentsOf(project, 'old')).toMatchObject([{ network: '(bridge)', aliases: [] }])
    expect(project.notes.some(({ text }) => text.includes("Docker's own bridge network"))).toBe(true)
  })
})

test('profiles: services without one always, with one when it is active, all with *', () => {
  const text = `services:
  a: {}
  b: {profiles: [debug]}
  c: {profiles: [test, debug]}
x-cnm: {expect: [a reaches b]}
`
  const names = (...profiles: string[]) => projectOf(text, { profiles }).containers.map(({ name }) => name)
  expect(names()).toEqual(['a'])
  expect(names('test')).toEqual(['a', 'c'])
  expect(names('debug')).toEqual(['a', 'b', 'c'])
  expect(names('*')).toEqual(['a', 'b', 'c'])
  expect(projectOf(text, { env: { COMPOSE_PROFILES: 'x, test' } }).containers).toHaveLength(2)
  expect(projectOf(text).notes.map(({ text: note }) => note)).toEqual([
    'not checked: "a reaches b"; "b" needs the profile debug',
  ])
})

test('a service of a provider has no container, and one called host is not the host of expectations', () => {
  const project = projectOf(`services:
  db: {provider: {type: cloud}}
  host: {}
  a: {}
x-cnm: {expect: [a reaches host, a reaches db]}
`)
  expect(project.containers.map(({ name }) => name)).toEqual(['host-1', 'a'])
  expect(containersNamed(project, 'host')).toEqual([])
  expect(project.notes.map(({ at, text }) => `${at.line}:${at.column} ${text}`)).toEqual([
    '2:18 services.db is run by a provider; it has no container',
    '5:18 "host" means the machine itself here, not the service of that name',
    '5:34 not checked: "a reaches db"; "db" has no replicas',
  ])
})

test('what has a bearing and is not honoured is noted, with its place', () => {
  const project = projectOf(`services:
  a:
    dns: 1.1.1.1
    extra_hosts: ["x=1.2.3.4"]
    deploy: {mode: global}
    cap_add: [NET_ADMIN]
    networks: {default: {link_local_ips: [169.254.8.8], driver_opts: {k: v}}}
  b: {sysctls: ["kernel.shmmax=1"]}
`)
  expect(project.notes.map(({ at, text }) => `${at.line}:${at.column} ${text}`)).toEqual([
    '3:5 services.a.dns (the name servers of the container) is not supported yet; it is left out',
    '4:5 services.a.extra_hosts (names in /etc/hosts of the container) is not supported yet; it is left out',
    '5:20 services.a.deploy.mode "global" has a meaning only in a swarm',
    '7:71 services.a.networks.default.driver_opts.k is not known; it is left out',
  ])
})

test('sysctls of networks and links come along', () => {
  const project = projectOf(`services:
  a:
    sysctls: {net.ipv4.ip_forward: 1}
    links: ["b:database", "b"]
  b: {sysctls: ["kernel.shmmax=1", "net.ipv4.ip_local_port_range=20000 30000"]}
`)
  expect(project.containers.map(({ links, sysctls }) => ({ links, sysctls }))).toEqual([
    {
      links: [
        { service: 'b', alias: 'database' },
        { service: 'b', alias: null },
      ],
      sysctls: { 'net.ipv4.ip_forward': '1' },
    },
    { links: [], sysctls: { 'net.ipv4.ip_local_port_range': '20000 30000' } },
  ])
})

test('options of the bridge driver are for the driver to read: none is noted', () => {
  const project = projectOf(`services: {a: {networks: [n]}}
networks:
  n: {driver_opts: {com.docker.network.bridge.gateway_mode_ipv4: routed, com.docker.network.container_iface_prefix: net}}
`)
  expect(project.notes).toEqual([])
  expect(project.networks.find(({ key }) => key === 'n')?.driverOpts).toEqual({
    'com.docker.network.bridge.gateway_mode_ipv4': 'routed',
    'com.docker.network.container_iface_prefix': 'net',
  })
})

describe('the name of the project', () => {
  const nameOf = (text: string, options = {}) => projectOf(`${text}services: {a: {}}\n`, options).name
  test('is that of the directory, normalised', () => {
    expect(nameOf('', { directory: '/srv/My_App 2.0/' })).toBe('my_app20')
    expect(nameOf('', { directory: 'C:\\work\\__Shop' })).toBe('shop')
  })
  test('is overridden by the file, the environment and the option, in that order', () => {
    expect(nameOf('name: ${N:-Filed}\n')).toBe('filed')
    expect(nameOf('name: filed\n', { env: { COMPOSE_PROJECT_NAME: 'said' } })).toBe('said')
    expect(nameOf('name: filed\n', { env: { COMPOSE_PROJECT_NAME: 'said' }, projectName: 'opt' })).toBe('opt')
  })
  test('can be used as a variable', () => {
    expect(
      projectOf('name: x1\nservices: {a: {container_name: "${COMPOSE_PROJECT_NAME}-a"}}').containers,
    ).toMatchObject([{ fullName: 'x1-a' }])
  })
})

describe('YAML', () => {
  test('anchors and merge keys; own keys win, then earlier ones', () => {
    const project = projectOf(`
x-base: &base {expose: ["80"], hostname: base}
x-more: &more {hostname: more, network_mode: none}
services:
  a: {<<: *base, hostname: own}
  b:
    <<: [*base, *more]
`)
    expect(containerOf(project, 'a')).toMatchObject({ hostname: 'own', expose: [{ port: 80, proto: 'tcp' }] })
    expect(containerOf(project, 'b')).toMatchObject({ hostname: 'base', mode: { tag: 'none' } })
  })

  test('several documents in one file are merged in order', () =>
    expect(
      projectOf('services: {a: {hostname: x}}\n---\nservices: {a: {hostname: y}, b: {}}\n').containers,
    ).toMatchObject([{ hostname: 'y' }, { name: 'b' }]))

  test('a byte order mark and Windows line ends do no harm', () =>
    expect(projectOf('\ufeffservices:\r\n  a:\r\n    expose:\r\n      - 80\r\n').containers).toMatchObject([
      { at: { line: 2, column: 3 }, expose: [{ port: 80, proto: 'tcp' }] },
    ]))
})
