// The monitor tells of changes made by anybody, in order, and admits what it missed.

import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addAddress, cidrOf } from '../../../src/kernel-linux/netlink/codec/address.ts'
import { createLink, deleteLink } from '../../../src/kernel-linux/netlink/codec/link.ts'
import { setNsid } from '../../../src/kernel-linux/netlink/codec/nsid.ts'
import { addRoute, destinationOf } from '../../../src/kernel-linux/netlink/codec/route.ts'
import { type Monitor, type MonitorOptions, monitor, type News } from '../../../src/kernel-linux/netlink/monitor.ts'
import { cidr, showCidr } from '../../../src/net/cidr.ts'
import { needs } from '../../lib/need.ts'
import { rightOf } from '../labs.ts'
import { run, type Space, space } from './lab.ts'

const openFds = (): number => readdirSync('/proc/self/fd').length
const bridge = (name: string, index: number) =>
  createLink({ name, index, up: true, linkinfo: { info: { kind: 'bridge', options: {} } } })

/** A change in a few words; null for kinds of news that a test does not look at. */
const words = (news: News): string => {
  if (news.tag === 'overrun' || news.tag === 'failed') return news.tag
  const verb = news.gone ? 'gone' : 'new'
  switch (news.tag) {
    case 'link':
      return `${verb} link ${news.value.name}`
    case 'port':
      return `${verb} port ${news.value.name}`
    case 'address': {
      const address = cidrOf(news.value)
      return `${verb} address ${address === null ? '' : showCidr(address)}`
    }
    case 'route':
      return `${verb} route ${showCidr(destinationOf(news.value))}`
    case 'neigh':
    case 'rule':
      return `${verb} ${news.tag}`
    case 'nsid':
      return `${verb} nsid ${news.value.nsid}`
  }
}

const until = async (holds: () => boolean, what: () => string): Promise<void> => {
  const end = performance.now() + 5000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`did not happen in time: ${what()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

needs.kernel('the monitor', () => {
  let here: Space
  let other: Space
  const open: Monitor[] = []
  beforeAll(() => {
    here = space('monitor')
    other = space('monitor-other')
  })
  afterAll(async () => {
    for (const one of open) one.close()
    await here.close()
    await other.close()
  })

  const listen = (options: Omit<MonitorOptions, 'place'>) => {
    const heard: News[] = []
    const started = rightOf(monitor({ ...options, place: { in: 'path', path: here.path } }, (news) => heard.push(news)))
    open.push(started)
    const hears = (text: string): Promise<void> =>
      until(
        () => heard.some((news) => words(news) === text),
        () => `${text}, only ${heard.map(words).join(', ')}`,
      )
    return { heard, hears, close: started.close }
  }

  test('tells of links, addresses and routes, by whomever they are made', async () => {
    const { heard, hears, close } = listen({ topics: ['link', 'address', 'route'] })
    run('ip', '-n', here.name, 'link', 'add', 'br0', 'type', 'bridge')
    await hears('new link br0')
    await here.does(bridge('br1', 500), addAddress({ index: 500, cidr: cidr('10.5.0.1/24') }))
    await here.does(addRoute({ to: cidr('10.6.0.0/16'), oif: 500 }), deleteLink({ index: 500 }))
    await hears('gone link br1')
    const told = heard.map(words)
    for (const text of ['new link br1', 'new address 10.5.0.1/24', 'new route 10.6.0.0/16', 'gone address 10.5.0.1/24'])
      expect(told).toContain(text)
    expect(told.indexOf('new link br1')).toBeLessThan(told.indexOf('gone link br1'))
    close()
  })

  test('tells only of what it was asked for', async () => {
    const { heard, hears, close } = listen({ topics: ['nsid', 'rule'] })
    await here.does(bridge('br2', 501))
    run('ip', '-n', here.name, 'rule', 'add', 'table', '5')
    await here.does(setNsid({ fd: here.fdOf(other) }, 33))
    await hears('new nsid 33')
    expect(heard.map(words)).toEqual(['new rule', 'new nsid 33'])
    close()
  })

  test('tells of the other namespaces that have a number here, and of which', async () => {
    const { heard, hears, close } = listen({ topics: ['link'], allNsids: true })
    run('ip', '-n', other.name, 'link', 'add', 'far', 'type', 'bridge')
    run('ip', '-n', here.name, 'link', 'add', 'near', 'type', 'bridge')
    await hears('new link near')
    const whereOf = (name: string) =>
      heard.flatMap((news) => (news.tag === 'link' && news.value.name === name ? [news.nsid] : []))
    expect(new Set(whereOf('far'))).toEqual(new Set([33]))
    expect(new Set(whereOf('near'))).toEqual(new Set([null]))
    close()
  })

  test('admits that it missed something, and goes on', async () => {
    const { heard, hears, close } = listen({ topics: ['link'], receiveBytes: 1 })
    const many = Array.from({ length: 60 }, (_, i) => bridge(`m${i}`, 600 + i))
    await here.does(...many)
    await hears('overrun')
    await here.does(bridge('after', 700))
    await hears('new link after')
    expect(heard.some((news) => news.tag === 'failed')).toBe(false)
    close()
  })

  test('leaves no file open when it is closed, and is silent then', async () => {
    const before = openFds()
    const { heard, close } = listen({ topics: ['link'] })
    expect(openFds()).toBeGreaterThan(before)
    close()
    close()
    await here.does(bridge('unheard', 701))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(heard).toEqual([])
    expect(openFds()).toBe(before)
  })
})
