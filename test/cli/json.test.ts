// What programs read: the shape and the order of --json, and the JUnit file.

import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { composeOf } from '../../bench/lib/compose-100.ts'
import type { RunReport } from '../../src/cli/commands/run.ts'
import { cnm, example, folderWith } from './cnm.ts'

const runJson = async (file: string, cwd?: string): Promise<RunReport> => {
  const { out } = await cnm(['run', '--json', file], cwd === undefined ? {} : { cwd })
  return JSON.parse(out)
}

describe('run --json', () => {
  test('gives networks, containers and reachability', async () => {
    const report = await runJson(example('two-tier'))
    expect(Object.keys(report)).toEqual(['networks', 'containers', 'reachability'])
    expect(report.networks.map(({ name }) => name)).toEqual(['two-tier_front', 'two-tier_back'])
    expect(report.containers.map(({ name }) => name)).toEqual(['web', 'api', 'db'])
    expect(report.containers[0]).toEqual({
      name: 'web',
      service: 'web',
      namespace: 'own',
      networks: [
        {
          network: 'two-tier_front',
          interface: 'eth0',
          addresses: ['172.17.0.2/16'],
          mac: '02:42:ac:11:00:02',
        },
      ],
      ports: [{ hostIp: null, hostPort: 8080, containerPort: 80, proto: 'tcp' }],
    })
    for (const row of report.reachability)
      expect(Object.keys(row)).toEqual(['from', 'to', 'proto', 'port', 'reaches', 'why'])
  })

  test('asks every container about every other, and outsiders about every published port', async () => {
    const { reachability } = await runJson(example('two-tier'))
    const asked = reachability.map(({ from, to, proto, port }) => `${from} ${to} ${proto}${port === null ? '' : port}`)
    expect(asked).toEqual([
      'web api icmp',
      'web api tcp8080',
      'web db icmp',
      'web db tcp5432',
      'web internet icmp',
      'api web icmp',
      'api web tcp80',
      'api db icmp',
      'api db tcp5432',
      'api internet icmp',
      'db web icmp',
      'db web tcp80',
      'db api icmp',
      'db api tcp8080',
      'db internet icmp',
      'host web tcp8080',
      'internet web tcp8080',
    ])
  })

  test('says the same each time', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => cnm(['run', '--json', example('internal')])))
    expect(one?.out).toBe(other?.out)
  })

  test('knows who shares a namespace', async () => {
    const cwd = await folderWith({
      'c.yaml':
        'name: shared\nservices:\n  web: { ports: ["80:80"] }\n  side: { network_mode: "service:web" }\n  bare: { network_mode: host }\n  off: { network_mode: none }\n',
    })
    const { containers, reachability } = await runJson('c.yaml', cwd)
    await rm(cwd, { recursive: true })
    expect(containers.map(({ name, namespace }) => [name, namespace])).toEqual([
      ['web', 'own'],
      ['side', 'web'],
      ['bare', 'host'],
      ['off', 'own'],
    ])
    expect(reachability.find(({ from, to }) => from === 'side' && to === 'web')?.reaches).toBe(true)
    expect(reachability.filter(({ from }) => from === 'off').some(({ reaches }) => reaches)).toBe(false)
  })
})

describe('100 services on 20 networks', () => {
  test('have a full table, in a heap of 200 MB', async () => {
    const cwd = await folderWith({ 'c.yaml': composeOf(100, 20) })
    const env = { NODE_OPTIONS: '--max-old-space-size=200' }
    const { exit, out } = await cnm(['run', '--json', 'c.yaml'], { cwd, env })
    await rm(cwd, { recursive: true })
    expect(exit).toBe(0)
    const { containers, reachability }: RunReport = JSON.parse(out)
    const networks = new Map(containers.map((each) => [each.name, each.networks.map(({ network }) => network)]))
    const pings = reachability.filter(({ proto, to }) => proto === 'icmp' && to !== 'internet')
    expect(pings).toHaveLength(100 * 99)
    const surprising = pings.filter(({ from, to, reaches }) => {
      const theirs = networks.get(to) ?? []
      return reaches !== (networks.get(from) ?? []).some((network) => theirs.includes(network))
    })
    expect(surprising).toEqual([])
  })

  test('are told in brief', async () => {
    const cwd = await folderWith({ 'c.yaml': composeOf(100, 20) })
    const { out } = await cnm(['run', 'c.yaml'], { cwd })
    await rm(cwd, { recursive: true })
    expect(out).toContain('100 containers in 40 groups; those of a group are on the same networks')
    expect(out).toMatch(/container to container, ping +660 of 9900/)
    expect(out).toContain('none: containers reach each other exactly when they share a network')
  })
})

describe('the results of a check', () => {
  test('as JSON say what did not hold, and where it stands', async () => {
    const { exit, out } = await cnm(['check', '--json', example('mistake')])
    const { expectations } = JSON.parse(out)
    expect(exit).toBe(1)
    expect(expectations.map(({ met }: { met: boolean }) => met)).toEqual([true, true, false, false, true])
    expect(expectations[2]).toMatchObject({ text: 'shop reaches db on tcp/5432', at: `${example('mistake')}:35:7` })
    expect(expectations[2].failed).toHaveLength(1)
  })

  test('as JUnit hold a test case for each expectation', async () => {
    const cwd = await folderWith({})
    const { exit } = await cnm(['check', '--junit', join(cwd, 'r.xml'), example('mistake')])
    const xml = await readFile(join(cwd, 'r.xml'), 'utf8')
    await rm(cwd, { recursive: true })
    expect(exit).toBe(1)
    expect(xml).toContain('<testsuites name="cnm" tests="5" failures="2">')
    expect(xml).toMatch(
      /<testcase name="shop reaches db on tcp\/5432"[^>]*line="35">\n +<failure type="expectation" message="examples\/mistake\/compose.yaml:35:7: shop does not reach db/,
    )
    expect(xml.match(/<testcase /g)).toHaveLength(5)
  })
})
