// The names of what tests make on the running kernel. They tell which process it belongs to, in a form that nobody chooses by
// accident, so that what a killed one left behind is known by its name alone.
// A lab or project `own-tests-pid4711-x` is written with "-" by `cnm plan`, and with "." where it is a lab's prefix.

const OWN = /^(?:not-)?cnm-own([.-])tests\1pid([1-9][0-9]*)[.-]/

/** Begins the names of this process. */
const mine = `own-tests-pid${process.pid}`

/** A project of Compose. */
export const ownProject = mine
export const ownLab = (what: string): string => `${mine}-${what}`
/** A namespace that is in no lab. */
export const ownNamespace = (what: string): string => `cnm-${mine.replaceAll('-', '.')}-${what}`

/** One that plays somebody else's: it does not begin as ours do. */
export const strangersNamespace = (what: string): string => `not-${ownNamespace(what)}`

/** Of the names of namespaces: those that tests of processes made which do not live any more. */
export const leftBehind = (names: ReadonlyArray<string>, living: ReadonlySet<number>): ReadonlyArray<string> =>
  names.filter((name) => {
    const pid = OWN.exec(name)?.[2]
    return pid !== undefined && !living.has(Number(pid))
  })
