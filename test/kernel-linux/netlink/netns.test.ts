// Namespaces made in process: named below a directory of their own, seen by everybody, gone when they are deleted.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeLink, dumpLinks } from '../../../src/kernel-linux/netlink/codec/link.ts'
import { dump } from '../../../src/kernel-linux/netlink/conversation.ts'
import {
  closeNetns,
  createNetns,
  deleteNetns,
  isNetns,
  listNetns,
  openNetns,
  prepareNetnsDir,
  releaseNetnsDir,
} from '../../../src/kernel-linux/netlink/netns.ts'
import { openSocket, type Place } from '../../../src/kernel-linux/netlink/socket.ts'
import { needs } from '../../lib/need.ts'
import { leftOf, rightOf } from '../labs.ts'
import { run } from './lab.ts'

const own = (): string => readlinkSync('/proc/thread-self/ns/net')
const openFds = (): number => readdirSync('/proc/self/fd').length

const namesIn = async (place: Place): Promise<ReadonlyArray<string | undefined>> => {
  const socket = rightOf(openSocket(place))
  const links = rightOf(await dump(socket, dumpLinks(), decodeLink)())
  await socket.close()
  return links.map(({ name }) => name)
}

needs.kernel('namespaces made in process', () => {
  let dir = ''
  const at = (name: string): string => join(dir, name)
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'cnm-nl-netns-'))
    rightOf(prepareNetnsDir(dir))
  })
  afterAll(() => {
    for (const { name } of listNetns(dir)) rightOf(deleteNetns(at(name)))
    rightOf(releaseNetnsDir(dir))
    rmdirSync(dir)
  })

  test('are new, hold a loopback device only, and this thread is back where it was', async () => {
    const home = own()
    rightOf(createNetns(at('one')))
    expect(own()).toBe(home)
    expect(isNetns(at('one'))).toBe(true)
    expect(await namesIn({ in: 'path', path: at('one') })).toEqual(['lo'])
    expect(run('nsenter', `--net=${at('one')}`, 'readlink', '/proc/self/ns/net').trim()).not.toBe(home)
  })

  test('have one name each', () => {
    rightOf(createNetns(at('two')))
    expect(leftOf(createNetns(at('two')))).toMatchObject({ tag: 'SystemCall', errno: 'EEXIST' })
    expect(isNetns(at('two'))).toBe(true)
  })

  test('are listed, with what was only half made', () => {
    writeFileSync(at('half'), '')
    expect(listNetns(dir)).toEqual([
      { name: 'half', whole: false },
      { name: 'one', whole: true },
      { name: 'two', whole: true },
    ])
    rightOf(deleteNetns(at('half')))
    expect(existsSync(at('half'))).toBe(false)
  })

  test('deleted ones have no name any more, and live on as long as they are open', async () => {
    const fd = rightOf(openNetns({ path: at('two') }))
    rightOf(deleteNetns(at('two')))
    expect(existsSync(at('two'))).toBe(false)
    expect(leftOf(deleteNetns(at('two')))).toMatchObject({ errno: 'ENOENT' })
    expect(await namesIn({ in: 'fd', fd })).toEqual(['lo'])
    closeNetns(fd)
  })

  test('a deletion reaches mount namespaces that were made in between', async () => {
    rightOf(createNetns(at('three')))
    const sleeper = spawn('unshare', ['--mount', '--propagation', 'unchanged', 'sh', '-c', 'echo ready; exec sleep 60'])
    try {
      await once(sleeper.stdout, 'data')
      rightOf(deleteNetns(at('three')))
      const mounts = run('cat', `/proc/${sleeper.pid}/mountinfo`)
      expect(mounts).not.toContain(at('three'))
    } finally {
      sleeper.kill()
      await once(sleeper, 'exit')
    }
  })

  test('a deletion reaches even private copies of the mount', async () => {
    rightOf(createNetns(at('four')))
    const sleeper = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', 'echo ready; exec sleep 60'])
    try {
      await once(sleeper.stdout, 'data')
      rightOf(deleteNetns(at('four')))
      expect(run('cat', `/proc/${sleeper.pid}/mountinfo`)).not.toContain(at('four'))
    } finally {
      sleeper.kill()
      await once(sleeper, 'exit')
    }
  })

  test('one is adopted from a process in it', async () => {
    const sleeper = spawn('unshare', [
      '--net',
      'sh',
      '-c',
      'ip link add from-pid type bridge; echo ready; exec sleep 60',
    ])
    try {
      await once(sleeper.stdout, 'data')
      const fd = rightOf(openNetns({ pid: sleeper.pid ?? 0 }))
      expect(await namesIn({ in: 'fd', fd })).toEqual(['lo', 'from-pid'])
      closeNetns(fd)
    } finally {
      sleeper.kill()
      await once(sleeper, 'exit')
    }
    expect(leftOf(openNetns({ pid: 2 ** 22 + 1 }))).toMatchObject({ call: 'open', errno: 'ENOENT' })
  })

  test('a hundred made and deleted leave no file open', () => {
    const before = openFds()
    for (let i = 0; i < 100; i++) {
      rightOf(createNetns(at('again')))
      rightOf(deleteNetns(at('again')))
    }
    expect(openFds()).toBe(before)
  })

  test('where there is no directory, none is made and none is left', () => {
    const before = openFds()
    expect(leftOf(createNetns(join(dir, 'no/such')))).toMatchObject({ errno: 'ENOENT' })
    expect(listNetns(join(dir, 'nowhere'))).toEqual([])
    expect(openFds()).toBe(before)
  })
})
