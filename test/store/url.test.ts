// A store's URL is read whole or refused with what is wrong, and a password is in no text of ours.

import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { parseStoreUrl, type StoreUrl, showStoreUrl } from '../../src/store/url.ts'

const read = (text: string): StoreUrl => {
  const url = parseStoreUrl(text)
  if (E.isLeft(url)) throw new Error(explainStore(url.left))
  return url.right
}
const complaint = (text: string): string => {
  const url = parseStoreUrl(text)
  return E.isLeft(url) ? explainStore(url.left) : 'no complaint'
}

const TLS = { tls: false, ca: null, cert: null, key: null }
const NO_TLS = { ...TLS, passwordFile: null }

describe('what is read', () => {
  test.for<[string, StoreUrl]>([
    ['memory:', { tag: 'memory' }],
    ['lmdb:/var/lib/cnm', { tag: 'lmdb', dir: '/var/lib/cnm' }],
    ['lmdb:a@b', { tag: 'lmdb', dir: 'a@b' }],
    ['etcd://alpha', { tag: 'etcd', members: [{ host: 'alpha', port: 2379 }], login: null, prefix: '/cnm', ...NO_TLS }],
    [
      'etcd://10.0.0.1:1,[fd00::2]:65535,c.example/a/b%20c/',
      {
        tag: 'etcd',
        members: [
          { host: '10.0.0.1', port: 1 },
          { host: 'fd00::2', port: 65_535 },
          { host: 'c.example', port: 2379 },
        ],
        login: null,
        prefix: '/a/b c',
        ...NO_TLS,
      },
    ],
    [
      'etcd://us%40er:p%2F:@x@alpha?ca=/etc/a%26b.pem',
      {
        tag: 'etcd',
        members: [{ host: 'alpha', port: 2379 }],
        login: { name: 'us@er', password: 'p/:@x' },
        prefix: '/cnm',
        ...NO_TLS,
        tls: true,
        ca: '/etc/a&b.pem',
      },
    ],
    [
      'etcd://root@alpha/x?tls&password-file=/run/p&cert=c&key=k',
      {
        tag: 'etcd',
        members: [{ host: 'alpha', port: 2379 }],
        login: { name: 'root', password: null },
        prefix: '/x',
        tls: true,
        ca: null,
        cert: 'c',
        key: 'k',
        passwordFile: '/run/p',
      },
    ],
    [
      'zk://u:p@z1,z2:2182/cnm/a',
      {
        tag: 'zk',
        members: [
          { host: 'z1', port: 2181 },
          { host: 'z2', port: 2182 },
        ],
        login: { name: 'u', password: 'p' },
        prefix: '/cnm/a',
      },
    ],
    [
      'consul://alpha',
      {
        tag: 'consul',
        members: [{ host: 'alpha', port: 8500 }],
        login: null,
        prefix: '/cnm',
        ...TLS,
        tokenFile: null,
      },
    ],
    [
      'consul://c1,[fd00::2]:8501/cnm/a%20b?token-file=/run/t%26&ca=f&cert=c&key=k',
      {
        tag: 'consul',
        members: [
          { host: 'c1', port: 8500 },
          { host: 'fd00::2', port: 8501 },
        ],
        login: null,
        prefix: '/cnm/a b',
        tls: true,
        ca: 'f',
        cert: 'c',
        key: 'k',
        tokenFile: '/run/t&',
      },
    ],
  ])('%s', ([text, url]) => {
    expect(read(text)).toEqual(url)
  })

  test('it is shown without user, password and options', () => {
    expect(showStoreUrl(read('etcd://u:secret@[::1]:7,b/x?ca=f'))).toBe('etcd://[::1]:7,b:2379/x')
    expect(showStoreUrl(read('lmdb:/srv/cnm'))).toBe('/srv/cnm')
    expect(showStoreUrl(read('consul://[::1]:7,b/x?token-file=f'))).toBe('consul://[::1]:7,b:8500/x')
  })
})

describe('what is refused', () => {
  test.for([
    ['', 'is no store; write memory:, lmdb:DIR'],
    ['/var/lib/cnm', 'is no store; write memory:, lmdb:DIR'],
    ['redis://a:1', 'is no store'],
    ['lmdb:', 'lacks its directory; write lmdb:DIR'],
    ['etcd:a:1', 'lacks the two slashes after "etcd:"'],
    ['etcd://', 'names a server without a host'],
    ['etcd://a:1,', 'names a server without a host'],
    ['etcd://a:0', 'names a with a port that is no number from 1 to 65535'],
    ['etcd://a:65536', 'names a with a port that is no number from 1 to 65535'],
    ['etcd://a:', 'names a with a port that is no number from 1 to 65535'],
    ['etcd://::1', 'names the IPv6 address ::1 without brackets; write [::1]'],
    ['etcd://[10.0.0.1]:1', 'has "10.0.0.1" in brackets, which is no IPv6 address'],
    ['etcd://10.0.0.300', 'names "10.0.0.300", which is no host'],
    ['etcd://a b', 'names "a b", which is no host'],
    ['etcd://a:1,A:1', 'names A:1 twice'],
    ['etcd://a,a:2379', 'names a:2379 twice'],
    ['etcd://@a', 'has an "@" with no user before it'],
    ['etcd://u@a', 'has a user without a password'],
    ['etcd://u:%zz@a', 'has a "%" in its password that stands for no character'],
    ['etcd://u:a/b@c', 'has a "/" or "?" before its last "@"'],
    ['etcd://a/x//y', 'has the prefix "/x//y", of which a part is empty'],
    ['etcd://a/x/../y', 'has the prefix "/x/../y"'],
    ['etcd://a/x%00', 'has a control character in its prefix'],
    [`etcd://a/${'x'.repeat(300)}`, 'has a prefix of more than 255 bytes'],
    ['etcd://a?cafile=x', 'has the option "cafile", which etcd:// does not know; there are tls, ca'],
    ['etcd://a?ca=x&ca=y', 'has the option "ca" twice'],
    ['etcd://a?ca', 'has the option "ca" without a file'],
    ['etcd://a?tls=no', 'has a value for "tls"'],
    ['etcd://a?cert=x', 'needs "cert" and "key" together'],
    ['etcd://u:p@a?password-file=x', 'needs a user, and no password'],
    ['zk://a?tls', 'has the option "tls", which zk:// does not know; there are none'],
    ['consul:a', 'lacks the two slashes after "consul:"'],
    ['consul://u:p@a', 'has a user, which Consul does not know; name the file of a token with "token-file"'],
    ['consul://a?token=secret', 'has the option "token", which consul:// does not know; there are tls, ca'],
    ['consul://a?token-file', 'has the option "token-file" without a file'],
    ['consul://a?tls=yes', 'has a value for "tls"'],
    ['consul://a?key=x', 'needs "cert" and "key" together'],
    ['consul://a:0', 'names a with a port that is no number from 1 to 65535'],
    ['toString://a', 'is no store'],
  ])('%s', ([text = '', why = '']) => {
    expect(complaint(text)).toContain(why)
  })
})

const SECRET = 'sEcr3tWord'

describe('a password', () => {
  prop.prop([fc.string(), fc.string(), fc.constantFrom('@', ',', '/', '')])(
    'is in no complaint, whatever stands around it',
    (before, after, end) => {
      for (const text of [`etcd://u:${SECRET}${end}${after}`, `etcd://${before}:${SECRET}@${after}`])
        expect(complaint(text)).not.toContain(SECRET)
    },
  )
})
