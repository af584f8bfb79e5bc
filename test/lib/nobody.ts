// A user who may do nothing on this machine (nobody, 65534), though he may read this checkout: where a folder above it is closed to
// others, as temporary ones are, he sees it in a mount namespace of his own in which that folder holds nothing but the way to it.

import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ROOT } from './source.ts'

export const NOBODY = 65534
const AS_NOBODY = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']

const mayEnter = (folder: string): boolean => (statSync(folder).mode & 0o001) !== 0

/** The topmost folder on the way to the checkout that others may not enter; null: there is none. */
const closedAbove = (folder: string): string | null => {
  const parent = dirname(folder)
  const above = parent === folder ? null : closedAbove(parent)
  return above ?? (mayEnter(folder) ? null : folder)
}

// $1 the closed folder, $2 the checkout; the rest is run. Nothing of it is seen outside of the namespace.
const OPENED = [
  'closed=$1; root=$2; shift 2; mount -t tmpfs -o mode=755 none /mnt',
  'mkdir /mnt/held; mount --rbind "$root" /mnt/held',
  'mount -t tmpfs -o mode=755 none "$closed"; mkdir -p "$root"; mount --rbind /mnt/held "$root"',
  'umount -l /mnt/held /mnt; cd "$root"; exec "$@"',
].join('\n')

/** The command line that runs one as nobody. */
export const asNobody = (...words: ReadonlyArray<string>): readonly [string, ...string[]] => {
  const closed = closedAbove(ROOT)
  if (closed === null) return ['setpriv', ...AS_NOBODY.slice(1), ...words]
  return [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-ec',
    OPENED,
    'sh',
    closed,
    ROOT,
    ...AS_NOBODY,
    ...words,
  ]
}
