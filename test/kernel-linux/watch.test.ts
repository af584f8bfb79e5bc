// The host's news: that something changed, in its namespace, in those it knows by number, and in its firewall; nothing else.

import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setNsid } from '../../src/kernel-linux/netlink/codec/nsid.ts'
import type { NetlinkError } from '../../src/kernel-linux/netlink/error.ts'
import { type Watch, watchHost } from '../../src/kernel-linux/watch.ts'
import { needs } from '../lib/need.ts'
import { wait } from '../lib/victim.ts'
import { leftOf, rightOf } from './labs.ts'
import { run, type Space, space } from './netlink/lab.ts'

const openFds = (): number => readdirSync('/proc/self/fd').length

needs.kernel('a watch', () => {
  let host: Space
  let known: Space
  let stranger: Space
  const heard: Array<NetlinkError | null> = []
  const open: Watch[] = []
  beforeAll(async () => {
    host = space('watch')
    known = space('watch-known')
    stranger = space('watch-stranger')
    await host.does(setNsid({ fd: host.fdOf(known) }, 7))
    open.push(rightOf(watchHost({ place: { in: 'path', path: host.path }, hear: (end) => heard.push(end) })))
  })
  afterAll(async () => {
    for (const each of open) each.close()
    await Promise.all([host.close(), known.close(), stranger.close()])
  })

  const SILENCE_MS = 100
  const after = async (...words: ReadonlyArray<string>): Promise<number> => {
    await wait(SILENCE_MS)
    heard.length = 0
    const [command = '', ...args] = words
    run(command, ...args)
    await wait(SILENCE_MS)
    expect(heard.every((end) => end === null)).toBe(true)
    return heard.length
  }
  const nft = (script: string) => ['nsenter', `--net=${host.path}`, '--', 'nft', script]

  test.each<[string, () => ReadonlyArray<string>]>([
    ['a link', () => ['ip', '-n', host.name, 'link', 'add', 'name', 'br0', 'up', 'type', 'bridge']],
    ['an address', () => ['ip', '-n', host.name, 'address', 'add', '10.5.0.1/24', 'dev', 'br0']],
    ['a route', () => ['ip', '-n', host.name, 'route', 'add', '10.6.0.0/16', 'via', '10.5.0.9']],
    ['a firewall table', () => nft('add table inet mine')],
    ['a flushed ruleset', () => nft('flush ruleset')],
    ['a link in a namespace that has a number', () => ['ip', '-n', known.name, 'link', 'set', 'lo', 'up']],
    ['a link that is deleted', () => ['ip', '-n', host.name, 'link', 'delete', 'br0']],
  ])('tells of %s', async (_, words) => {
    expect(await after(...words())).toBeGreaterThan(0)
  })

  test('is silent about namespaces that the host does not know, and about mere looking', async () => {
    expect(await after('ip', '-n', stranger.name, 'link', 'set', 'lo', 'up')).toBe(0)
    expect(await after('ip', '-n', host.name, '-json', '-details', 'address', 'show')).toBe(0)
    expect(await after(...nft('list ruleset'))).toBe(0)
  })

  test('is silent once it is closed, twice too, and gives back what it had open', async () => {
    const before = openFds()
    const news: unknown[] = []
    const second = rightOf(watchHost({ place: { in: 'path', path: host.path }, hear: (end) => news.push(end) }))
    expect(openFds()).toBeGreaterThan(before)
    second.close()
    second.close()
    await after('ip', '-n', host.name, 'link', 'set', 'lo', 'up')
    expect(news).toEqual([])
    expect(openFds()).toBe(before)
  })

  test('cannot be had in a namespace that is not there', () => {
    const error = leftOf(watchHost({ place: { in: 'path', path: '/run/netns/cnm-none' }, hear: () => {} }))
    expect(error).toMatchObject({ tag: 'SystemCall', errno: 'ENOENT' })
  })
})
