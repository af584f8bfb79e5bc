// Namespaces made in process: named below a directory of their own, seen by everybody, gone when they are deleted.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decodeLink, dumpLinks } from '../../../src/kernel-linux/netlink/codec/link.ts'
import { dump } from '../../../src/kernel-linux/netlink/conversation.ts'
import {
  adoptNetns,
  closeNetns,
  createNetns,
  deleteNetns,
  identityOf,
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

/** A process in a network namespace of its own, in which it has done what the script says. */
const foreign = async (script = '', flags: ReadonlyArray<string> = []) => {
  const sleeper = spawn('unshare', [...flags, '--net', 'sh', '-ec', `${script || ':'}; echo ready; exec sleep 60`])
  await once(sleeper.stdout, 'data')
  const end = async (): Promise<void> => {
    sleeper.kill()
    await once(sleeper, 'exit')
  }
  return { pid: sleeper.pid ?? 0, end }
}

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

  test('one is open by a process in it', async () => {
    const sleeper = await foreign('ip link add from-pid type bridge')
    try {
      const fd = rightOf(openNetns({ pid: sleeper.pid }))
      expect(await namesIn({ in: 'fd', fd })).toEqual(['lo', 'from-pid'])
      closeNetns(fd)
    } finally {
      await sleeper.end()
    }
    expect(leftOf(openNetns({ pid: 2 ** 22 + 1 }))).toMatchObject({ call: 'open', errno: 'ENOENT' })
  })

  describe('of somebody else', () => {
    const netOf = (pid: number): string => `/proc/${pid}/ns/net`

    test('is given a name, and lives on without it', async () => {
      const { pid, end } = await foreign('ip link add theirs type bridge')
      try {
        const before = readlinkSync(netOf(pid))
        rightOf(adoptNetns(at('cnm-a'), netOf(pid)))
        expect(await namesIn({ in: 'path', path: at('cnm-a') })).toEqual(['lo', 'theirs'])
        rightOf(deleteNetns(at('cnm-a')))
        expect(existsSync(at('cnm-a'))).toBe(false)
        expect(readlinkSync(netOf(pid))).toBe(before)
        expect(run('nsenter', `--net=${netOf(pid)}`, 'ip', '-br', 'link')).toContain('theirs')
      } finally {
        await end()
      }
    })

    test('has one name of ours, and the host’s own has none', async () => {
      const { pid, end } = await foreign()
      try {
        rightOf(adoptNetns(at('cnm-a'), netOf(pid)))
        expect(leftOf(adoptNetns(at('cnm-b'), netOf(pid)))).toMatchObject({
          errno: 'EEXIST',
          about: `${netOf(pid)} is the namespace cnm-a already`,
        })
        expect(leftOf(adoptNetns(at('cnm-b'), at('cnm-a')))).toMatchObject({ errno: 'EEXIST' })
        expect(leftOf(adoptNetns(at('cnm-b'), netOf(process.pid)))).toMatchObject({
          errno: 'EEXIST',
          about: `${netOf(process.pid)} is the host's own namespace`,
        })
        expect(existsSync(at('cnm-b'))).toBe(false)
      } finally {
        rightOf(deleteNetns(at('cnm-a')))
        await end()
      }
    })

    test.each([
      ['nothing', '/nowhere/at/all', 'ENOENT'],
      ['a file', '/etc/hostname', 'EINVAL'],
      ['a directory', '/proc/self', 'EINVAL'],
      ['another kind of namespace', '/proc/self/ns/uts', 'EINVAL'],
    ])('is not %s', (_, from, errno) => {
      const files = openFds()
      expect(leftOf(adoptNetns(at('cnm-a'), from))).toMatchObject({ errno })
      expect(existsSync(at('cnm-a'))).toBe(false)
      expect(openFds()).toBe(files)
    })

    test('a taken name stays whose it is', async () => {
      const { pid, end } = await foreign()
      try {
        rightOf(createNetns(at('cnm-a')))
        const whose = identityOf(at('cnm-a'))
        expect(leftOf(adoptNetns(at('cnm-a'), netOf(pid)))).toMatchObject({ call: 'open', errno: 'EEXIST' })
        expect(identityOf(at('cnm-a'))).toBe(whose)
      } finally {
        rightOf(deleteNetns(at('cnm-a')))
        await end()
      }
    })

    test('may have its file in another mount namespace', async () => {
      const hidden = join(dir, 'hidden')
      mkdirSync(hidden)
      const { pid, end } = await foreign(
        `ip link add there type bridge; mount -t tmpfs none ${hidden}; touch ${hidden}/x; mount --bind /proc/self/ns/net ${hidden}/x`,
        ['--mount', '--propagation', 'private'],
      )
      try {
        expect(existsSync(join(hidden, 'x'))).toBe(false)
        rightOf(adoptNetns(at('cnm-a'), `/proc/${pid}/root${hidden}/x`))
        expect(await namesIn({ in: 'path', path: at('cnm-a') })).toEqual(['lo', 'there'])
      } finally {
        deleteNetns(at('cnm-a'))
        await end()
        rmdirSync(hidden)
      }
    })

    test('keeps its name when its last process ends, until that is taken away', async () => {
      const { pid, end } = await foreign('ip link add theirs type bridge')
      rightOf(adoptNetns(at('cnm-a'), netOf(pid)))
      await end()
      expect(await namesIn({ in: 'path', path: at('cnm-a') })).toEqual(['lo', 'theirs'])
      rightOf(deleteNetns(at('cnm-a')))
    })

    test('a file that an adoption left when it was cut short is taken for the next one', async () => {
      const { pid, end } = await foreign()
      try {
        writeFileSync(at('cnm-a'), '')
        rightOf(adoptNetns(at('cnm-a'), netOf(pid)))
        rightOf(deleteNetns(at('cnm-a')))
        writeFileSync(at('theirs'), '')
        expect(leftOf(adoptNetns(at('theirs'), netOf(pid)))).toMatchObject({ errno: 'EEXIST' })
      } finally {
        rightOf(deleteNetns(at('theirs')))
        await end()
      }
    })
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
