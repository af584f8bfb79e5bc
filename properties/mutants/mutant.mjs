// What a mutant is: a deliberate defect, one small patch, that a named property must find. They re-create bugs that
// libnetwork and Docker had, so that we know our properties would have found those.

/**
 * `bug`: what it does wrong, in words. `rows`: the bugs of that kind; m#1 is moby/moby, l#1 moby/libnetwork, others are
 * commits or other projects. `property`: the P# of properties/README.md. `find` is there exactly once in `under`, a file or
 * folder. `by`: the property that finds it, by a part of its full title.
 * @typedef {Readonly<{
 *   name: string
 *   bug: string
 *   rows: ReadonlyArray<string>
 *   property: string
 *   under: string
 *   find: string
 *   replace: string
 *   by: Readonly<{ file: string, title: string }>
 * }>} Mutant
 */

/** @type {(file: string, title: string) => Mutant['by']} */
export const by = (file, title) => ({ file: `properties/${file}.properties.ts`, title })
