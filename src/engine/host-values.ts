// What the host's own sysctls said before us. A sysctl cannot be taken away, only set back; to what, is looked up before the
// first change and stored with the model, for whoever takes the last network away may be another process.

import type { Scope } from '../kernel/kernel.ts'
import { keyOf, type ObjectKey, type Sysctl } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { KernelState } from '../kernel/state.ts'
import { type SysctlName, sysctlDevice } from '../kernel/sysctl.ts'
import { HOST } from '../net/name.ts'
import { changesBetween, getIn } from '../net/pmap.ts'
import type { Entry, Write } from '../store/store.ts'

export const HOST_VALUES = 'host/'
/** The host's own values, by the key of the sysctl. */
export type HostValues = ReadonlyMap<ObjectKey, string>

/** A sysctl of the host itself; one of a device goes with its device. */
const isHosts = (object: { kind: string }): object is Sysctl =>
  object.kind === 'sysctl' && (object as Sysctl).ns === HOST && sysctlDevice((object as Sysctl).name) === null

export const readHostValues = (entries: ReadonlyArray<Entry>): HostValues =>
  new Map(entries.map(({ key, value }) => [key.slice(HOST_VALUES.length), value]))

const PREFIX = `${HOST}/sysctl/`

/**
 * As objects that we may have set, for all we know. A cast: the keys were made from the names of sysctls.
 */
export const valuesState = (values: HostValues): ReadonlyArray<Sysctl> =>
  [...values].map(([key, value]) => ({
    kind: 'sysctl',
    ns: HOST,
    name: key.slice(PREFIX.length) as SysctlName,
    value,
    otherwise: value,
  }))

/** The sysctls that are wanted now and whose own value nobody knows. */
export const unknownValues = (before: KernelState, after: KernelState, known: HostValues): ReadonlyArray<Sysctl> =>
  before === after
    ? []
    : changesBetween(before, after).flatMap(({ key, after: object }) =>
        object !== undefined && isHosts(object) && !known.has(key) ? [object] : [],
      )

export const scopeOfValues = (sysctls: ReadonlyArray<Sysctl>): Scope => ({
  namespaces: [HOST],
  sysctls: sysctls.map(({ ns, name }) => ({ ns, name })),
})

/** With the values that were observed. One that this kernel does not have is left out: setting it will be refused. */
export const withValues = (known: HostValues, sysctls: ReadonlyArray<Sysctl>, observed: KernelState): HostValues => {
  const values = new Map(known)
  for (const sysctl of sysctls) {
    const found = getIn(observed, keyOf(sysctl))
    if (found?.kind === 'sysctl') values.set(keyOf(sysctl), found.value)
  }
  return values
}

/** Without those of sysctls that are neither wanted nor believed to be set by us any more. */
export const stillNeeded = (known: HostValues, states: ReadonlyArray<KernelState>): HostValues =>
  new Map([...known].filter(([key]) => states.some((state) => getIn(state, key) !== undefined)))

export const valueWrites = (before: HostValues, after: HostValues): ReadonlyArray<Write> => [
  ...[...after]
    .filter(([key, value]) => before.get(key) !== value)
    .map(([key, value]) => ({ key: HOST_VALUES + key, value })),
  ...[...before.keys()].filter((key) => !after.has(key)).map((key) => ({ key: HOST_VALUES + key, value: null })),
]

/** Operations that set a sysctl of the host back set it to its own value. */
export const settingBack =
  (values: HostValues) =>
  (op: KernelOp): KernelOp => {
    if (op.verb !== 'delete' || !isHosts(op.object)) return op
    const own = values.get(keyOf(op.object))
    return own === undefined ? op : { verb: 'delete', object: { ...op.object, otherwise: own } }
  }
