import { describe, expect, test } from 'vitest'
import { parseShortPort } from '../../src/compose/normalise/port.ts'
import type { PortPublish } from '../../src/compose/project.ts'
import { showIp } from '../../src/net/ip.ts'
import { E } from '../../src/prelude.ts'
import { containerOf, projectOf, refusalsOf } from './lib.ts'

const show = ({ hostIp, hostPorts, containerPort, transport }: PortPublish): string =>
  `${hostIp === null ? '*' : showIp(hostIp)} ${hostPorts === null ? 'any' : `${hostPorts.from}-${hostPorts.to}`} -> ${containerPort}/${transport}`

const AT = { file: 'f', line: 1, column: 1 }
const shown = (text: string): ReadonlyArray<string> | string => {
  const result = parseShortPort(text, AT)
  return E.isLeft(result) ? result.left : result.right.map(show)
}

// The examples of the Compose Specification, and what people write besides.
test.each([
  ['3000', ['* any -> 3000/tcp']],
  ['3000-3002', ['* any -> 3000/tcp', '* any -> 3001/tcp', '* any -> 3002/tcp']],
  ['8000:8000', ['* 8000-8000 -> 8000/tcp']],
  ['9090-9091:8080-8081', ['* 9090-9090 -> 8080/tcp', '* 9091-9091 -> 8081/tcp']],
  ['8000-9000:80', ['* 8000-9000 -> 80/tcp']],
  ['127.0.0.1:8001:8001', ['127.0.0.1 8001-8001 -> 8001/tcp']],
  ['127.0.0.1:5000-5001:5000-5001', ['127.0.0.1 5000-5000 -> 5000/tcp', '127.0.0.1 5001-5001 -> 5001/tcp']],
  ['127.0.0.1::80', ['127.0.0.1 any -> 80/tcp']],
  ['::1:6000:6000', ['::1 6000-6000 -> 6000/tcp']],
  ['[::1]:6001:6001', ['::1 6001-6001 -> 6001/tcp']],
  ['[::]:80:80', [':: 80-80 -> 80/tcp']],
  ['6060:6060/udp', ['* 6060-6060 -> 6060/udp']],
  ['6060:6060/UDP', ['* 6060-6060 -> 6060/udp']],
  ['0:80', ['* any -> 80/tcp']],
  ['', '"" is not a port (1 to 65535)'],
  ['web', '"web" is not a port (1 to 65535)'],
  ['0', '"0" is not a port (1 to 65535)'],
  ['80:65536', '"65536" is not a port (1 to 65535)'],
  ['80:', '"" is not a port (1 to 65535)'],
  ['1-3:1-2', '3 host ports do not match 2 container ports'],
  ['80:1-2', '1 host ports do not match 2 container ports'],
  ['9-8:9-8', '"9-8" is a range that ends before it begins'],
  ['1-2-3:5', '"1-2-3" is not a range such as 8080-8090'],
  ['300.0.0.1:80:80', '"300.0.0.1" is not an IP address'],
  ['localhost:80:80', '"localhost" is not an IP address'],
  ['80:80/icmp', '"icmp" is not a protocol (tcp, udp or sctp)'],
])('%j', (text, expected) => expect(shown(text)).toEqual(expected))

describe('in a file', () => {
  test('numbers and the long form', () => {
    const project = projectOf(`
services:
  a:
    ports:
      - 3000
      - 8080:81
      - target: 80
        published: "8000-8010"
        host_ip: 127.0.0.1
        protocol: udp
        mode: host
        name: web
        app_protocol: http
      - {target: "443", published: 8443}
      - {target: 53}
    expose: [9000, "9001-9002/udp", "9000"]
`)
    expect(containerOf(project, 'a').ports.map(show)).toEqual([
      '* any -> 3000/tcp',
      '* 8080-8080 -> 81/tcp',
      '127.0.0.1 8000-8010 -> 80/udp',
      '* 8443-8443 -> 443/tcp',
      '* any -> 53/tcp',
    ])
    expect(containerOf(project, 'a').expose).toEqual([
      { port: 9000, proto: 'tcp' },
      { port: 9001, proto: 'udp' },
      { port: 9002, proto: 'udp' },
    ])
  })

  const both = (a: string, b: string) => refusalsOf(`services:\n  a: {ports: ["${a}"]}\n  b: {ports: ["${b}"]}\n`)

  test.each([
    ['80:80', '80:81', 'the service "b" publishes tcp port 80, which the service "a" has already (line 2)'],
    [
      '80:80',
      '127.0.0.1:80:80',
      'the service "b" publishes tcp port 80 on 127.0.0.1, which the service "a" has already (line 2)',
    ],
    [
      '0.0.0.0:80:80',
      '10.0.0.1:80:80',
      'the service "b" publishes tcp port 80 on 10.0.0.1, which the service "a" has already (line 2)',
    ],
    ['80-90:80-90', '85:85', 'the service "b" publishes tcp port 85, which the service "a" has already (line 2)'],
  ])('%s and %s clash', (a, b, sentence) => expect(both(a, b)).toEqual([`compose.yaml:3:15: ${sentence}`]))

  test.each([
    ['80:80', '80:80/udp'],
    ['80:80', '81:80'],
    ['127.0.0.1:80:80', '127.0.0.2:80:80'],
    ['0.0.0.0:80:80', '[::]:80:80'],
    ['80-81:80', '80:80'],
    ['80', '80'],
  ])('%s and %s go together', (a, b) => expect(both(a, b)).toEqual([]))

  test('replicas need a port each', () => {
    expect(refusalsOf('services:\n  a: {scale: 2, ports: ["80:80"]}\n')).toEqual([
      'compose.yaml:2:25: the service "a" has 2 replicas, which cannot share one host port 80/tcp',
    ])
    expect(refusalsOf('services: {a: {scale: 3, ports: ["80-81:80"]}}')).toHaveLength(1)
    expect(refusalsOf('services: {a: {scale: 3, ports: ["80-82:80", "81"]}}')).toEqual([])
  })
})
