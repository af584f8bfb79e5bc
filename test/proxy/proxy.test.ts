// The proxy on Linux: a host of IPv6 publishes ports of a container that has IPv4 alone, and of one that has both.

import { execFileSync, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { relaysIn } from '../../src/drivers/relays.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { explain } from '../../src/model/error.ts'
import { showIp } from '../../src/net/ip.ts'
import { HOST, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import type { End, Relay } from '../../src/net/relay.ts'
import { E } from '../../src/prelude.ts'
import { bundle, labKernel } from '../kernel-linux/labs.ts'
import { type Program, startProgram, talkTo } from '../kernel-linux/programs.ts'
import { createEndpoint, createNetwork, createSandbox, join, pool } from '../lib/model.ts'
import { needs } from '../lib/need.ts'
import type { Line } from './program.ts'

/** TCP: says what it was told in capitals, once the other side has said all. UDP: says from which port it was asked. */
const SERVER = `
const { createServer } = require('node:net')
const { createSocket } = require('node:dgram')
const tcp = createServer({ allowHalfOpen: true }, (socket) => {
  let said = ''
  socket.on('error', () => {}).on('data', (bytes) => { said += bytes }).on('end', () => socket.end(said.toUpperCase()))
})
const udp = createSocket('udp6')
udp.on('message', (_, from) => udp.send(String(from.port), from.port, from.address))
tcp.listen(80, '::', () => udp.bind(80, '::', () => console.log('ready')))
process.stdin.resume().on('end', () => process.exit())
`

/** Says something, ends its side, and prints all that it is told then. */
const CLIENT = `
const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]), allowHalfOpen: true })
let heard = ''
socket.on('connect', () => socket.end('x'.repeat(Number(process.argv[3]))))
socket.on('data', (bytes) => { heard += bytes }).on('error', (error) => console.log(error.code))
socket.on('end', () => console.log(heard.length + ' ' + heard.slice(0, 1)))
`

/** Connects, says when it has, and then why it was over. */
const LISTENER = `
const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) })
socket.on('connect', () => console.log('ready')).on('error', (error) => console.log(error.code)).on('end', () => console.log('end'))
`

const EXPIRE_MS = 400
const OUT = '2001:db8::9'
const WIDE = '2001:db8::1'
const publish = (n: number, transport: 'tcp' | 'udp') => ({
  hostIp: null,
  hostPorts: { from: port(n), to: port(n) },
  containerPort: port(80),
  transport,
})

const written = ({ ip, port: at }: End) => ({ ip: showIp(ip), port: at })
const lineOf = (relays: ReadonlyArray<Relay>): Line =>
  relays.map(({ transport, at, to }) => ({ transport, at: written(at), to: written(to) }))

needs.kernel('the proxy', () => {
  const { lab, kernel, close } = labKernel('proxy', 'netlink')
  const names = labNames(lab)
  const host = names(HOST) ?? ''
  const outside = names(ns('out')) ?? ''
  const engine = freshEngine({ kernel })
  const programs: Program[] = []
  const start = async (...words: Parameters<typeof startProgram>): Promise<Program> => {
    const program = await startProgram(...words)
    programs.push(program)
    return program
  }
  let proxy: Program
  const serve = async (relays: ReadonlyArray<Relay>): Promise<unknown> => {
    proxy.say(JSON.stringify(lineOf(relays)))
    return JSON.parse(await proxy.hear())
  }
  const exchange = (real: string, to: string, at: number, size = 5): string => {
    const args = [`--net=/run/netns/${real}`, '--', process.execPath, '-e', CLIENT, '--', to, String(at), String(size)]
    return spawnSync('nsenter', args, { encoding: 'utf8', timeout: 10_000 }).stdout.trim()
  }
  const ask = async (real: string, to: string, at: number): Promise<string> => {
    const { ask: once, end } = await talkTo(real, to, at)
    const answer = await once()
    await end()
    return answer
  }

  beforeAll(async () => {
    const program = await bundle('test/proxy/program.ts', 'test-proxy.js')
    for (const real of [host, outside]) execFileSync('ip', ['netns', 'add', real])
    const words = [
      `-n ${host} link set lo up`,
      `-n ${outside} link set lo up`,
      `-n ${host} link add up0 up type veth peer name eth0 netns ${outside}`,
      `-n ${outside} link set eth0 up`,
      `-n ${host} addr add ${WIDE}/64 dev up0 nodad`,
      `-n ${outside} addr add ${OUT}/64 dev eth0 nodad`,
    ]
    for (const each of words) execFileSync('ip', each.split(' '))
    const answers = await engine.submit([
      createNetwork(1, 'four', { pools: [pool('10.7.0.0/16')] }),
      createNetwork(2, 'both', { pools: [pool('10.8.0.0/16'), pool('fd08::/64')] }),
      createSandbox(1, 'web', { ports: [publish(8080, 'tcp'), publish(8080, 'udp')] }),
      createSandbox(2, 'api', { ports: [publish(8090, 'tcp'), publish(8090, 'udp')] }),
      createEndpoint(1, 1, 'web'),
      createEndpoint(2, 2, 'api'),
      join(1, 1),
      join(2, 2),
    ])
    for (const answer of answers) if (E.isLeft(answer)) throw new Error(explain(answer.left))
    for (const of of ['web', 'api']) await start(names(ns(of)) ?? '', ['-e', SERVER])
    proxy = await start(host, [program, String(EXPIRE_MS)])
  })
  afterAll(async () => {
    for (const program of programs) await program.end()
    await engine.close()
    await close()
  })

  test('is what the kernel has no way for', () => {
    expect([exchange(host, '::1', 8080), exchange(outside, WIDE, 8080), exchange(host, '::1', 8090)]).toEqual([
      'ECONNREFUSED',
      'ECONNREFUSED',
      'ECONNREFUSED',
    ])
    expect([exchange(host, '127.0.0.1', 8080), exchange(outside, WIDE, 8090)]).toEqual(['5 X', '5 X'])
  })

  test('takes TCP there, from the host and from outside, also when the client has ended its side', async () => {
    expect(await serve(relaysIn(DRIVERS, engine.model()))).toEqual([])
    expect(exchange(host, '::1', 8080)).toBe('5 X')
    expect(exchange(host, WIDE, 8080)).toBe('5 X')
    expect(exchange(outside, WIDE, 8080)).toBe('5 X')
    expect(exchange(host, '::1', 8090)).toBe('5 X')
    expect(exchange(outside, WIDE, 8080, 3_000_000)).toBe('3000000 X')
  })

  test('leaves to the kernel what the kernel can do', () => {
    expect([exchange(host, '127.0.0.1', 8080), exchange(outside, WIDE, 8090)]).toEqual(['5 X', '5 X'])
  })

  test('takes UDP there, and answers from the address that was asked', async () => {
    for (const [real, to, at] of [
      [host, '::1', 8080],
      [host, WIDE, 8080],
      [outside, WIDE, 8080],
      [host, '::1', 8090],
    ] as const)
      expect(await ask(real, to, at)).toMatch(/^\d+$/)
  })

  test('answers from an address that is new, once it is renewed', async () => {
    execFileSync('ip', ['-n', host, 'addr', 'add', '2001:db8::5/64', 'dev', 'up0', 'nodad'])
    expect(await serve(relaysIn(DRIVERS, engine.model()))).toEqual([])
    expect(await ask(outside, '2001:db8::5', 8080)).toMatch(/^\d+$/)
  })

  test('keeps a session of UDP while something passes, and no longer', async () => {
    const { ask: once, end } = await talkTo(host, '::1', 8080)
    const first = await once()
    for (let i = 0; i < 4; i++) {
      await sleep(EXPIRE_MS / 2)
      expect(await once()).toBe(first)
    }
    await sleep(EXPIRE_MS * 2)
    expect(await once()).not.toBe(first)
    await end()
  })

  test('says which port it cannot have, and has it the next time', async () => {
    const squatter = `require('node:net').createServer().listen(9000, '::1', () => console.log('ready'));
      process.stdin.resume().on('end', () => process.exit())`
    const program = await start(host, ['-e', squatter])
    const relays = relaysIn(DRIVERS, engine.model())
    const [first, ...others] = relays.filter(({ transport, at }) => transport === 'tcp' && at.port === 8080)
    if (first === undefined || others.length > 0) throw new Error('web has one relay for TCP')
    const more = [{ ...first, at: { ...first.at, port: port(9000) } }]
    expect(await serve([...relays, ...more])).toEqual(['EADDRINUSE'])
    await program.end()
    expect(await serve([...relays, ...more])).toEqual([])
    expect(exchange(host, '::1', 9000)).toBe('5 X')
  })

  test('breaks off what goes through a port that is withdrawn, and nothing else', async () => {
    const args = ['-e', LISTENER, '--', '::1']
    const [going, staying] = [await start(host, [...args, '8080']), await start(host, [...args, '8090'])]
    const relays = relaysIn(DRIVERS, engine.model()).filter(({ at }) => at.port === 8090)
    expect(await serve(relays)).toEqual([])
    expect(await going.hear()).toBe('ECONNRESET')
    expect(exchange(host, '::1', 8080)).toBe('ECONNREFUSED')
    expect(exchange(host, '::1', 8090)).toBe('5 X')
    await staying.end()
  })

  test('tells a client that the container refused', async () => {
    const relays: ReadonlyArray<Relay> = relaysIn(DRIVERS, engine.model()).map((relay) => ({
      ...relay,
      to: { ...relay.to, port: port(81) },
    }))
    expect(await serve(relays)).toEqual([])
    expect(exchange(host, '::1', 8080)).toBe('ECONNRESET')
  })
})
