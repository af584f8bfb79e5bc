// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

import { describe, expect, test } from 'vitest'
import { attachmentsOf, containerOf, networkKeysOf, projectOf, refusalsOf } from './lib.ts'

const portsOf = (texts: ReadonlyArray<string>) =>
  containerOf(projectOf(texts), 'a').ports.map(
    ({ hostPorts, containerPort, transport }) => `${hostPorts?.from ?? ''}:${containerPort}/${transport}`,
  )

describe('several files', () => {
  test('mappings merge, scalars are replaced, new services are added', () => {
    const project = projectOf([
      'services: {a: {hostname: x, container_name: one}}\nnetworks: {n: {internal: true, labels: [k=1, l=2]}}',
      'services: {a: {hostname: y, networks: [n]}, b: {}}\nnetworks: {n: {attachable: true, labels: {k: 3}}}',
    ])
    expect(project.containers).toMatchObject([{ hostname: 'y', fullName: 'one' }, { name: 'b' }])
    expect(project.networks[0]).toMatchObject({ internal: true, attachable: true, labels: { k: '3', l: '2' } })
  })

  test("a service's networks merge by name, in whichever form", () => {
    const project = projectOf([
      'services: {a: {networks: [n, m]}}\nnetworks: {n: , m: , o: }',
      'services: {a: {networks: {n: {aliases: [x], priority: 9}, o: }}}',
      'services: {a: {networks: {n: {aliases: [y]}}}}',
    ])
    expect(networkKeysOf(project, 'a')).toEqual(['n', 'm', 'o'])
    expect(attachmentsOf(project, 'a')[0]?.aliases).toEqual(['a', 'x', 'y'])
  })

  test('ports are appended, the same one only once, also as a range or in the long form', () => {
    expect(
      portsOf([
        'services: {a: {ports: ["8080:80", "1000-1001:1000-1001"]}}',
        'services: {a: {ports: ["8443:443", "1001:1001", {target: 80, published: 8080}, "8080:80/udp"]}}',
      ]),
    ).toEqual(['8080:80/tcp', '1000:1000/tcp', '1001:1001/tcp', '8443:443/tcp', '8080:80/udp'])
  })

  test('pools merge by their subnet', () => {
    const project = projectOf([
      'services: {a: {networks: [n]}}\nnetworks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}]}}}',
      'networks: {n: {enable_ipv6: true, ipam: {config: [{subnet: 10.0.0.0/24, gateway: 10.0.0.9}, {subnet: "fd00::/64"}]}}}',
    ])
    expect(project.networks[0]?.ipam.pools).toHaveLength(2)
    expect(project.networks[0]?.ipam.pools[0]?.gateway).not.toBeNull()
  })

  test('!reset takes away', () => {
    expect(
      portsOf([
        'services: {a: {ports: ["8080:80"], network_mode: host}}',
        'services: {a: {ports: !reset [], network_mode: !reset null}}',
      ]),
    ).toEqual([])
  })

  test('!override replaces', () => {
    expect(portsOf(['services: {a: {ports: ["8080:80"]}}', 'services: {a: {ports: !override ["8443:443"]}}'])).toEqual([
      '8443:443/tcp',
    ])
  })

  test('what is reset and set again in a third file starts anew', () => {
    expect(
      portsOf([
        'services: {a: {ports: ["1:1"]}}',
        'services: {a: {ports: !reset null}}',
        'services: {a: {ports: ["3:3"]}}',
        'services: {a: {ports: ["4:4"]}}',
      ]),
    ).toEqual(['3:3/tcp', '4:4/tcp'])
  })

  test('an empty value leaves what was there', () =>
    expect(portsOf(['services: {a: {ports: ["1:1"]}}', 'services: {a: {ports: }}'])).toEqual(['1:1/tcp']))

  test('a mistake names the file that has it', () =>
    expect(refusalsOf(['services: {a: {}}', '\nservices: {a: {networks: [typo]}}'])).toEqual([
      'compose.1.yaml:2:27: services.a.networks: there is no network "typo"; there are no networks: declare it under "networks:" at the top level',
    ]))

  test('each is interpolated by itself, before merging', () =>
    expect(portsOf(['services: {a: {ports: ["${P:-1}:1"]}}', 'services: {a: {ports: ["${P:-2}:1"]}}'])).toEqual([
      '1:1/tcp',
      '2:1/tcp',
    ]))
})

describe('extends', () => {
  test('takes over along a chain; own keys win, lists append', () => {
    const project = projectOf(`
services:
  top: {extends: {service: middle}, hostname: top, ports: ["3"]}
  middle: {extends: base, hostname: middle, networks: [n]}
  base: {hostname: base, ports: ["1"], expose: [9], networks: [m]}
networks: {n: , m: }
`)
    const top = containerOf(project, 'top')
    expect(top.hostname).toBe('top')
    expect(top.ports.map(({ containerPort }) => containerPort)).toEqual([1, 3])
    expect(top.expose).toEqual([{ port: 9, proto: 'tcp' }])
    expect(networkKeysOf(project, 'top')).toEqual(['m', 'n'])
    expect(networkKeysOf(project, 'base')).toEqual(['m'])
  })

  test('!reset in the extending service takes away what the base has', () => {
    const project = projectOf('services: {a: {extends: b, ports: !reset []}, b: {ports: ["1:1"]}}')
    expect(containerOf(project, 'a').ports).toEqual([])
    expect(containerOf(project, 'b').ports).toHaveLength(1)
  })

  test('what it resets in one file stays away from the file before', () => {
    expect(
      portsOf([
        'services: {a: {ports: ["1:1"]}}',
        'services: {a: {extends: b, ports: !reset []}, b: {ports: ["2:2"]}}',
      ]),
    ).toEqual([])
  })

  test('a missing base, a circle and another file are refused', () => {
    expect(refusalsOf('services:\n  a: {extends: bas}\n  base: {}\n')).toEqual([
      'compose.yaml:2:16: services.a.extends: there is no service "bas"; did you mean "base"?',
    ])
    expect(refusalsOf('services:\n  z: {extends: a}\n  a: {extends: b}\n  b: {extends: {service: a}}\n')).toEqual([
      'compose.yaml:3:16: services extend each other in a circle: a -> b -> a',
    ])
    expect(refusalsOf('services:\n  a:\n    extends:\n      file: common.yml\n      service: b\n')).toEqual([
      'compose.yaml:4:13: "extends" of another file is not supported yet; put the base service into this file, or give both files',
    ])
  })
})
