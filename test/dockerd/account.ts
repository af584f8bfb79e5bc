// What came of a scenario, as lines that can be compared: whether each step was refused (not how: dockerd 20.10 says 500 to much that
// its user got wrong), the networks' subnets and gateways, what each
// container has (interfaces, addresses, default routes), and who reaches whom.

import { pathIn } from '../../bench/linux/tidy.ts'
import type { Probe } from '../../src/kernel/kernel.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS } from '../../src/lab/world.ts'
import { type Ip, ip, isIp4, showIp } from '../../src/net/ip.ts'
import { HOST, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { outputIn } from '../lib/foreign.ts'
import type { NetworkWish, Scenario, Step } from './scenario.ts'
import type { Published, Side } from './side.ts'

type Json = Readonly<Record<string, unknown>>
const json = (text: string): ReadonlyArray<Json> => (text.trim() === '' ? [] : JSON.parse(text))

/** Those that are there after the last step. */
const living = (steps: ReadonlyArray<Step>, answers: ReadonlyArray<number | null>): ReadonlyArray<string> => {
  const names = new Set<string>()
  steps.forEach((step, i) => {
    if (answers[i] !== null) return
    if (step.do === 'run') names.add(step.container.name)
    if (step.do === 'remove') names.delete(step.container)
  })
  return [...names]
}

const networksOf = (steps: ReadonlyArray<Step>, answers: ReadonlyArray<number | null>): ReadonlyArray<NetworkWish> =>
  steps.flatMap((step, i) => (step.do === 'network' && answers[i] === null ? [step.network] : []))

const titleOf = (step: Step): string => {
  switch (step.do) {
    case 'network':
      return `network ${step.network.name}`
    case 'run':
      return `run ${step.container.name}`
    case 'connect':
      return `connect ${step.container} to ${step.to.network}`
    case 'disconnect':
      return `disconnect ${step.container} from ${step.from}`
    case 'remove':
      return `remove ${step.container}`
  }
}

type Held = Readonly<{ container: string; dev: string; ip: Ip; line: string }>

/** But for what the kernel made of a MAC. */
const heldBy = (side: Side, container: string): ReadonlyArray<Held> =>
  json(outputIn(pathIn(side.lab, ns(container)), ['ip', '-json', 'address', 'show'])).flatMap((link) => {
    const dev = String(link['ifname'])
    // Casts: this is what ip(8) writes.
    const infos = link['addr_info'] as ReadonlyArray<Json>
    return dev === 'lo'
      ? []
      : infos
          .filter(({ local }) => !String(local).startsWith('fe80:'))
          .map((info) => ({
            container,
            dev,
            ip: ip(String(info['local'])),
            line: `${container} ${dev} ${info['local']}/${info['prefixlen']} mtu ${link['mtu']}`,
          }))
  })

const routesOf = (side: Side, container: string): ReadonlyArray<string> =>
  (['-4', '-6'] as const).flatMap((family) =>
    json(outputIn(pathIn(side.lab, ns(container)), ['ip', family, '-json', 'route', 'show', 'default'])).map(
      ({ gateway, dev }) => `${container} leaves by ${gateway ?? 'nobody'} at ${dev}`,
    ),
  )

type Question = Readonly<{ line: string; probe: Probe }>

const pings = (containers: ReadonlyArray<string>, held: ReadonlyArray<Held>): ReadonlyArray<Question> => {
  const families = (container: string) =>
    new Set(held.filter((each) => each.container === container).map((each) => (isIp4(each.ip) ? 4 : 6)))
  const ask = (who: string, from: Ns, to: Ip, whom: string): Question => ({
    line: `${who} pings ${whom}`,
    probe: { proto: 'icmp', ns: from, to },
  })
  return [
    ...containers.flatMap((from) =>
      held
        .filter(({ container, ip: to }) => container !== from && families(from).has(isIp4(to) ? 4 : 6))
        .map(({ container, ip: to }) => ask(from, ns(from), to, `${container} at ${showIp(to)}`)),
    ),
    ...containers.flatMap((from) =>
      [...families(from)].map((family) => ask(from, ns(from), INTERNET_ADDRESS[family], `beyond by IPv${family}`)),
    ),
    ...held.flatMap(({ container, ip: to }) => [
      ask('the host', HOST, to, `${container} at ${showIp(to)}`),
      ask('beyond', INTERNET, to, `${container} at ${showIp(to)} straight`),
    ]),
  ]
}

const LOOPBACK = ip('127.0.0.1')

const calls = (containers: ReadonlyArray<string>, published: ReadonlyArray<Published>): ReadonlyArray<Question> =>
  published.flatMap(({ container, hostIp, hostPort, containerPort, protocol }) => {
    const places: ReadonlyArray<readonly [string, Ns]> = [
      ['beyond', INTERNET],
      ['the host', HOST],
      ...containers.map((name) => [name, ns(name)] as const),
    ]
    const addresses = hostIp === null ? [HOST_ADDRESS[4]] : [ip(hostIp)]
    const ask = (who: string, from: Ns, to: Ip): Question => ({
      line: `${who} calls ${showIp(to)}:${hostPort}/${protocol}, which is ${container}'s ${containerPort}`,
      probe: {
        proto: protocol,
        ns: from,
        to,
        port: port(hostPort),
        listener: { ns: ns(container), port: port(containerPort) },
      },
    })
    return [
      ...places.flatMap(([who, from]) => addresses.filter((to) => to !== LOOPBACK).map((to) => ask(who, from, to))),
      ...(hostIp === null || ip(hostIp) === LOOPBACK ? [ask('the host', HOST, LOOPBACK)] : []),
    ]
  })

/** Container ports that nobody published, called straight. */
const intrusions = (held: ReadonlyArray<Held>): ReadonlyArray<Question> =>
  held
    .filter(({ ip: to }) => isIp4(to))
    .map(({ container, ip: to }) => ({
      line: `beyond calls ${container} at ${showIp(to)}:81 straight`,
      probe: { proto: 'tcp', ns: INTERNET, to, port: port(81), listener: { ns: ns(container), port: port(81) } },
    }))

const PATIENCE_MS = 10_000

/** The host's IPv6 addresses are used from the moment on when nobody else is found to have them. */
const duplicatesDetected = async ({ lab }: Side): Promise<void> => {
  for (const until = performance.now() + PATIENCE_MS; performance.now() < until; ) {
    if (outputIn(pathIn(lab), ['ip', '-6', 'address', 'show', 'tentative']).trim() === '') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Automatic subnets are told by the network's name: which is next is for either side to choose. */
const withoutChoice = (subnets: ReadonlyMap<string, ReadonlyArray<string>>, line: string): string =>
  [...subnets].reduce(
    (text, [name, [subnet = '']]) =>
      text.replaceAll(subnet.replace(/0\.0\/16$/, ''), `<${name}>.`).replace('0.0/16', '/16'),
    line,
  )

export const accountOf = async (side: Side, { steps }: Scenario): Promise<ReadonlyArray<string>> => {
  const answers: Array<number | null> = []
  for (const step of steps) answers.push(await side.tell(step))
  const told = steps.map((step, i) => `${titleOf(step)}: ${answers[i] === null ? 'done' : 'refused'}`)
  const automatic = new Map<string, ReadonlyArray<string>>()
  const pools: string[] = []
  for (const { name, subnets: asked } of networksOf(steps, answers)) {
    const subnets = await side.subnets(name)
    if (asked === undefined) automatic.set(name, subnets)
    pools.push(...subnets.map((subnet) => `${name} has ${subnet}`))
  }
  await side.kernel.settled()
  await duplicatesDetected(side)
  const containers = living(steps, answers)
  const held = containers.flatMap((name) => heldBy(side, name))
  const published = await side.published()
  const questions = [...pings(containers, held), ...calls(containers, published), ...intrusions(held)]
  const verdicts = await Promise.all(
    questions.map(
      async ({ line, probe }) =>
        `${line}: ${rightOf(await side.kernel.probe(probe)()).tag === 'arrived' ? 'yes' : 'no'}`,
    ),
  )
  const account = [
    ...told,
    ...pools,
    ...held.map(({ line }) => line).sort(),
    ...containers.flatMap((name) => routesOf(side, name)),
    ...published.map(
      (each) =>
        `${each.container} publishes ${each.hostIp ?? 'any'}:${each.hostPort}:${each.containerPort}/${each.protocol}`,
    ),
    ...verdicts,
  ]
  await side.clear()
  return account.map((line) => withoutChoice(automatic, line))
}
