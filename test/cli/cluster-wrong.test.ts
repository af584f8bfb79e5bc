// What hosts that share etcd, and one that has a prefix alone, must not do to each other; and what is wrong on the command line or there.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { needsEtcd, startEtcd } from '../lib/etcd.ts'
import { right } from '../store/lib.ts'
import { onEtcd, settle } from './cluster-hosts.ts'
import { cnm } from './cnm.ts'

needsEtcd('hosts on etcd', () => {
  const here = onEtcd()
  const { run, ok, json, endpoints, hosts, keys, put, being, url } = here

  describe('a prefix', () => {
    test('of one host alone refuses --host, and is left as it is', { timeout: 60_000 }, async () => {
      await ok(null, 'network', 'create', 'front')
      const before = await keys()
      for (const [host, ...args] of [
        ['alpha', 'network', 'create', 'x'],
        ['alpha', 'network', 'ls'],
        ['alpha', 'doctor'],
        ['alpha', 'network', 'rm', '--dry-run', 'front'],
        [null, 'host', 'ls'],
        [null, 'host', 'forget', '--yes', 'alpha'],
      ] as const) {
        const { exit, out, err } = await run(host, ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toMatch(/^cnm: etcd:\/\/.* holds the networks of one host alone; leave out --host/)
      }
      expect(await keys()).toEqual(before)
    })

    test('that hosts share refuses to be without, and is left as it is', { timeout: 60_000 }, async () => {
      await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
      await ok('beta', 'sandbox', 'create', 'db')
      const before = await keys()
      for (const args of [
        ['network', 'create', 'x'],
        ['network', 'ls'],
        ['doctor'],
        ['network', 'rm', '--dry-run', 'wide'],
        ['events'],
        ['journal', 'export'],
      ]) {
        const { exit, out, err } = await run(null, ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toMatch(/^cnm: etcd:\/\/.* is shared by hosts \(alpha, beta\); say which .* with --host NAME/)
      }
      const proxy = await cnm(['proxy', '--store', url()])
      expect([proxy.exit, proxy.err]).toEqual([3, expect.stringContaining('is shared by hosts')])
      expect(await keys()).toEqual(before)
    })

    test('is never both, though two begin it at once', { timeout: 90_000 }, async () => {
      for (let n = 0; n < 4; n++) {
        here.move(`/${n}`)
        const both = await Promise.all([run(null, 'network', 'create', 'x'), run('alpha', 'network', 'create', 'x')])
        expect(both.map(({ exit }) => exit).sort()).toEqual([0, 3])
        const store = await here.open(`/${n}`)
        const names = JSON.stringify(await right(store.list('')))
        await store.close()
        expect(names.includes('"kernel"')).toBe(both[0]?.exit === 0)
        expect(names.includes('"g/member/alpha"')).toBe(both[1]?.exit === 0)
      }
    })

    test('that hosts share is carried to another as a whole', { timeout: 60_000 }, async () => {
      await settle(here)
      const before = [await endpoints('alpha'), await json('beta', 'sandbox', 'ls', '--format', 'json')]
      const [gamma] = await being('gamma')
      const out = await ok(null, 'store', 'export')
      await gamma.close()
      const folder = mkdtempSync(join(tmpdir(), 'cnm-host-'))
      try {
        // A directory holds it for its way, and nothing else can be done with it there.
        const there = ['--store', `lmdb:${join(folder, 'way')}`]
        expect(await cnm(['store', 'import', ...there], { input: `${out}\n` })).toMatchObject({ exit: 0 })
        const wrong = await cnm(['network', 'create', 'x', '--kernel', 'sim', ...there])
        expect([wrong.exit, wrong.err]).toEqual([3, expect.stringContaining('hosts share it on servers')])
        const again = (await cnm(['store', 'export', ...there])).out
        here.move('-copy')
        expect(await cnm(['store', 'import', '--store', url()], { input: again })).toMatchObject({ exit: 0 })
      } finally {
        rmSync(folder, { recursive: true })
      }
      expect([await endpoints('alpha'), await json('beta', 'sandbox', 'ls', '--format', 'json')]).toEqual(before)
      expect(await hosts()).toEqual(['alpha away 1 -', 'beta away 1 -', 'gamma away 0 -'])
      await ok('beta', 'network', 'disconnect', 'wide', 'db')
      await ok('alpha', 'endpoint', 'create', 'wide', 'db')
    })
  })

  describe('what cannot be is told, and left alone', () => {
    test.for([
      ['events', ['events'], 'events: not with --host yet: no journal is kept'],
      ['a journal', ['journal', 'export'], 'journal export: not with --host yet'],
      ['an export of one', ['store', 'export', '--host', 'alpha'], 'store export: not with --host yet: it carries all'],
      ['an import of one', ['store', 'import', '--host', 'alpha'], 'store import: not with --host yet: it carries all'],
      ['a directory', ['network', 'ls', '--host', 'a', '--state', '/nowhere'], '--host a is for hosts that share'],
      ['lmdb:', ['network', 'ls', '--host', 'a', '--store', 'lmdb:/nowhere'], '--host a is for hosts that share'],
      ['hosts of a directory', ['host', 'ls', '--state', '/nowhere'], 'hosts share a store on servers; say --store'],
      ['a slash', ['network', 'ls', '--host', 'a/b'], '--host "a/b": a host is named with 1 to 64 letters'],
      ['no name', ['network', 'ls', '--host', ''], '--host "": a host is named with'],
      ['a name that is too long', ['network', 'ls', '--host', 'a'.repeat(65)], ': a host is named with'],
      ['an option', ['network', 'ls', '--host', '--help'], '--host "--help": a host is named with'],
      ['a new line', ['network', 'ls', '--host', 'a\nb'], '--host "a\\x0ab": a host is named with'],
    ] as const)('%s: the command line is wrong', async ([, args, words]) => {
      const before = await keys()
      const ran = await run('alpha', ...args)
      expect([ran.exit, ran.out]).toEqual([2, ''])
      expect(ran.err).toContain(words)
      expect(await keys()).toEqual(before)
    })

    test.for([
      ['keys of another program', 'x', 'mine', 'holds keys of another program'],
      ['a newer version', 'head', '{"format":"cnm-store","schema":99}', 'has schema version 99, this cnm knows'],
    ] as const)('%s: the store cannot be used', async ([, key, value, words]) => {
      await put(key, value)
      const before = await keys()
      for (const args of [
        ['network', 'create', 'front'],
        ['network', 'ls'],
        ['host', 'ls'],
        ['host', 'forget', '--yes', 'alpha'],
      ]) {
        const { exit, out, err } = await run('alpha', ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toContain(words)
      }
      expect(await keys()).toEqual(before)
    })

    test.for([
      ['nobody there', 'etcd://u:se-cr-et@127.0.0.1:1/x', 3, 'nobody listens there'],
      ['a port that is none', 'etcd://u:se-cr-et@127.0.0.1:x', 2, 'with a port that is no number'],
      ['another kind', 'redis://u:se-cr-et@a', 2, 'is no store'],
      ['a user where there are none', 'etcd://u:se-cr-et@HERE/x', 3, 'has no users'],
      ['TLS where there is none', 'etcd://HERE/x?tls', 3, 'whether they speak TLS'],
      ['an authority that is no file', 'etcd://HERE/x?ca=/nowhere', 3, "the ca of the store's URL cannot be read"],
    ] as const)('%s', async ([, store, exit, words]) => {
      const ran = await run('alpha', 'network', 'create', 'x', '--store', store.replace('HERE', here.servers()))
      expect(ran).toMatchObject({ exit, out: '', err: expect.stringContaining(words) })
      expect(ran.err).not.toContain('se-cr-et')
    })

    test('a host of the environment, where the command line says a directory, is not meant', async () => {
      const state = join(tmpdir(), 'cnm-nowhere')
      expect(await ok('alpha', 'network', 'ls', '-q', '--state', state)).toBe('')
      expect(await run('', 'network', 'ls', '-q')).toMatchObject({ exit: 0, out: '' })
    })
  })

  test('who has no right to read and write there is refused', async () => {
    const guarded = await startEtcd()
    try {
      const [server] = guarded.servers
      for (const name of ['root', 'cnm']) await server?.request('auth/user/add', { name, password: 'right' })
      await server?.request('auth/user/grant', { user: 'root', role: 'root' })
      await server?.request('auth/enable', {})
      for (const [login, words] of [
        ['cnm:wrong@', 'refuses this user and password'],
        ['cnm:right@', 'gives this user no right to read and write there'],
        ['', 'asks for a user and a password'],
      ] as const) {
        const ran = await run('alpha', 'network', 'create', 'x', '--store', `etcd://${login}${guarded.hosts}/x`)
        expect([login, ran.exit, ran.out]).toEqual([login, 3, ''])
        expect(ran.err).toContain(words)
      }
    } finally {
      await guarded.end()
    }
  })
})
