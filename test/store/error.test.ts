// Every error of a store is a sentence that names what it is about and, where there is one, the way out.

import { expect, test } from 'vitest'
import { explainStore, type StoreError } from '../../src/store/error.ts'

/** One of each: a tag that is missing here does not compile. */
const SENTENCES: { readonly [Tag in StoreError['tag']]: readonly [Extract<StoreError, { tag: Tag }>, string] } = {
  StoreConflict: [{ tag: 'StoreConflict', key: 'a' }, 'key "a" was changed by somebody else; read it again and repeat'],
  StoreBadKey: [{ tag: 'StoreBadKey', key: 'a', why: 'twice' }, 'key "a" is written twice in one transaction'],
  StoreBadValue: [{ tag: 'StoreBadValue', key: 'a' }, 'the value of key "a" is not well-formed Unicode'],
  StoreCompacted: [
    { tag: 'StoreCompacted', since: 3, oldest: 7 },
    'the store has forgotten the changes between revisions 3 and 7; list again and watch from there',
  ],
  StoreClosed: [{ tag: 'StoreClosed' }, 'the store is closed'],
  StoreInUse: [
    { tag: 'StoreInUse', dir: '/d', pid: null },
    '/d is in use by another process; stop that one, or choose another directory',
  ],
  StoreDamaged: [
    { tag: 'StoreDamaged', file: '/f', where: 'page 3', why: 'is used twice' },
    '/f is damaged: page 3 is used twice; it was left as it is: move it away and import the last export',
  ],
  StoreNewer: [
    { tag: 'StoreNewer', file: '/f', schema: 3, known: 2 },
    '/f has schema version 3, this cnm knows 2 at most; use the newer cnm that wrote it',
  ],
  StoreNotOurs: [
    { tag: 'StoreNotOurs', file: '/f', why: 'is text' },
    '/f is text; it was left as it is: choose another place, or move it away',
  ],
  StoreNotMigrated: [
    { tag: 'StoreNotMigrated', file: '/f', from: 1, why: 'it has no names' },
    '/f cannot be brought from schema version 1 to the present one: it has no names; it was left as it is: export it with the cnm that wrote it',
  ],
  StoreBadExport: [
    { tag: 'StoreBadExport', file: '/f', line: 2, why: 'is no entry' },
    '/f, line 2 is no entry; nothing was imported: export again, or take an older export',
  ],
  StoreNotEmpty: [
    { tag: 'StoreNotEmpty', entries: 1 },
    'the store has 1 entry; import into an empty one, in another directory',
  ],
  StoreUnavailable: [{ tag: 'StoreUnavailable', what: 'no disk', hint: 'buy one' }, 'no disk; buy one'],
  StoreBadUrl: [{ tag: 'StoreBadUrl', url: 'etcd:', why: 'lacks a host' }, 'store "etcd:" lacks a host'],
  StoreDenied: [
    { tag: 'StoreDenied', place: 'etcd://a:1/cnm', why: 'refused the password', hint: 'say another' },
    'etcd://a:1/cnm refused the password; say another',
  ],
  StoreTooLarge: [
    { tag: 'StoreTooLarge', what: 'bytes', size: 9, most: 7 },
    'a transaction has 9 bytes, this store takes 7 at most; nothing was changed: do less at a time',
  ],
  StoreHeld: [
    { tag: 'StoreHeld', place: 'etcd://a:1/cnm', by: 'process 7 on b' },
    'etcd://a:1/cnm is in use by process 7 on b; stop that one, wait some seconds if it has crashed, or choose another prefix',
  ],
  StoreOtherUse: [
    { tag: 'StoreOtherUse', place: 'etcd://a:1/cnm', why: 'is shared by hosts', hint: 'say --host' },
    'etcd://a:1/cnm is shared by hosts; say --host',
  ],
}

test.for(Object.values(SENTENCES))('%o', ([error, sentence]) => {
  expect(explainStore(error)).toBe(sentence)
})

test.for([
  ['empty', '', 'a key of the store must not be empty'],
  ['notText', 'a\ud800', 'key "a\\ud800" is not well-formed Unicode'],
  [
    'long',
    'x'.repeat(2000),
    `key "${'x'.repeat(77)}..." has 2000 bytes, a store takes 1024 at most; use a shorter name`,
  ],
] as const)('a key that is %s', ([why, key, sentence]) => {
  expect(explainStore({ tag: 'StoreBadKey', key, why })).toBe(sentence)
})
