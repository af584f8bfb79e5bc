// Why a store did not do what it was asked: a closed union of values, and one sentence for each, which names the file or the
// key, says what was wrong and, where there is one, the way out.

/** The longest key that every store takes, in bytes of UTF-8. lmdb alone would take 1,978, less what marks our entries. */
export const MAX_KEY_BYTES = 1024

export type BadKey = 'empty' | 'long' | 'twice' | 'notText'

export type StoreError = Readonly<
  | { tag: 'StoreConflict'; key: string }
  | { tag: 'StoreBadKey'; key: string; why: BadKey }
  /** A value that no UTF-8 stands for: half of a surrogate pair. */
  | { tag: 'StoreBadValue'; key: string }
  /** The changes between `since` and `oldest` are forgotten. */
  | { tag: 'StoreCompacted'; since: number; oldest: number }
  | { tag: 'StoreClosed' }
  /** `pid` null: it did not say. */
  | { tag: 'StoreInUse'; dir: string; pid: number | null }
  /** `where` is a page or a record of it; `why` a clause that follows. */
  | { tag: 'StoreDamaged'; file: string; where: string; why: string }
  | { tag: 'StoreNewer'; file: string; schema: number; known: number }
  | { tag: 'StoreNotOurs'; file: string; why: string }
  | { tag: 'StoreNotMigrated'; file: string; from: number; why: string }
  | { tag: 'StoreBadExport'; file: string; line: number; why: string }
  | { tag: 'StoreNotEmpty'; entries: number }
  | { tag: 'StoreUnavailable'; what: string; hint: string | null }
  /** `url`: without its user and password; `why` a clause that follows. */
  | { tag: 'StoreBadUrl'; url: string; why: string }
  /** The server is there and lets us not in: a password, a right, a certificate. Trying again does not help. */
  | { tag: 'StoreDenied'; place: string; why: string; hint: string | null }
  /** Nothing was sent. */
  | { tag: 'StoreTooLarge'; what: string; size: number; most: number }
  /** Another process writes to a shared store. */
  | { tag: 'StoreHeld'; place: string; by: string }
  /** It is one host's alone and was to be shared, or the other way round; `why` a clause that follows. */
  | { tag: 'StoreOtherUse'; place: string; why: string; hint: string }
>

const shown = (key: string): string => JSON.stringify(key.length > 80 ? `${key.slice(0, 77)}...` : key)

const explainKey = (key: string, why: BadKey): string => {
  switch (why) {
    case 'empty':
      return 'a key of the store must not be empty'
    case 'long':
      return `key ${shown(key)} has ${Buffer.byteLength(key)} bytes, a store takes ${MAX_KEY_BYTES} at most; use a shorter name`
    case 'twice':
      return `key ${shown(key)} is written twice in one transaction`
    case 'notText':
      return `key ${shown(key)} is not well-formed Unicode`
  }
}

/** One sentence for people. */
export const explainStore = (error: StoreError): string => {
  switch (error.tag) {
    case 'StoreConflict':
      return `key ${shown(error.key)} was changed by somebody else; read it again and repeat`
    case 'StoreBadKey':
      return explainKey(error.key, error.why)
    case 'StoreBadValue':
      return `the value of key ${shown(error.key)} is not well-formed Unicode`
    case 'StoreCompacted':
      return `the store has forgotten the changes between revisions ${error.since} and ${error.oldest}; list again and watch from there`
    case 'StoreClosed':
      return 'the store is closed'
    case 'StoreInUse':
      return `${error.dir} is in use by ${error.pid === null ? 'another process' : `process ${error.pid}`}; stop that one, or choose another directory`
    case 'StoreDamaged':
      return `${error.file} is damaged: ${error.where} ${error.why}; it was left as it is: move it away and import the last export`
    case 'StoreNewer':
      return `${error.file} has schema version ${error.schema}, this cnm knows ${error.known} at most; use the newer cnm that wrote it`
    case 'StoreNotOurs':
      return `${error.file} ${error.why}; it was left as it is: choose another place, or move it away`
    case 'StoreNotMigrated':
      return `${error.file} cannot be brought from schema version ${error.from} to the present one: ${error.why}; it was left as it is: export it with the cnm that wrote it`
    case 'StoreBadExport':
      return `${error.file}, line ${error.line} ${error.why}; nothing was imported: export again, or take an older export`
    case 'StoreNotEmpty':
      return `the store has ${error.entries} ${error.entries === 1 ? 'entry' : 'entries'}; import into an empty one, in another directory`
    case 'StoreUnavailable':
      return error.hint === null ? error.what : `${error.what}; ${error.hint}`
    case 'StoreBadUrl':
      return `store ${shown(error.url)} ${error.why}`
    case 'StoreDenied':
      return `${error.place} ${error.why}${error.hint === null ? '' : `; ${error.hint}`}`
    case 'StoreTooLarge':
      return `a transaction has ${error.size} ${error.what}, this store takes ${error.most} at most; nothing was changed: do less at a time`
    case 'StoreHeld':
      return `${error.place} is in use by ${error.by}; stop that one, wait some seconds if it has crashed, or choose another prefix`
    case 'StoreOtherUse':
      return `${error.place} ${error.why}; ${error.hint}`
  }
}
