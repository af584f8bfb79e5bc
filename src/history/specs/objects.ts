// Objects that are created, deleted and found: networks of a cluster, endpoints of a network. An id is given once at a time, and
// so is a name within a kind.

import { byObject, REFUSED, type Spec } from '../spec.ts'

export type ObjectIn = Readonly<
  | { do: 'create'; kind: string; id: string; name: string }
  | { do: 'delete'; kind: string; id: string }
  /** Who has this name? */
  | { do: 'find'; kind: string; name: string }
>
/** `exists`: the id or the name. What was refused for another reason has failed, and tells nothing. */
export type ObjectOut = 'done' | 'exists' | 'absent' | Readonly<{ id: string }>

/** Of the few objects that a group is about: who is there, by `kind/id`, under which name. */
type Objects = ReadonlyMap<string, string>

const keyOf = (objects: Objects): string => JSON.stringify([...objects].sort())

const step = (objects: Objects, input: ObjectIn, output: ObjectOut | undefined): ReadonlyArray<Objects> => {
  const { kind } = input
  const only = (isSo: boolean): ReadonlyArray<Objects> => (isSo ? [objects] : REFUSED)
  if (input.do === 'find') {
    const found = [...objects].find(([at, name]) => at.startsWith(`${kind}/`) && name === input.name)?.[0] ?? null
    if (output === undefined) return [objects]
    return only(typeof output === 'object' ? found === `${kind}/${output.id}` : output === 'absent' && found === null)
  }
  const at = `${kind}/${input.id}`
  if (input.do === 'delete') {
    if (!objects.has(at)) return only(output === 'absent' || output === undefined)
    return output === 'done' || output === undefined ? [new Map([...objects].filter(([each]) => each !== at))] : REFUSED
  }
  const exists =
    objects.has(at) || [...objects].some(([other, name]) => other.startsWith(`${kind}/`) && name === input.name)
  if (exists) return only(output === 'exists' || output === undefined)
  return output === 'done' || output === undefined ? [new Map([...objects, [at, input.name]])] : REFUSED
}

const show = (input: ObjectIn, output: ObjectOut | undefined): string => {
  const asked = `${input.do} ${input.kind} ${'id' in input ? input.id : ''}`.trimEnd()
  const named = 'name' in input ? ` named ${JSON.stringify(input.name)}` : ''
  const said = output === undefined ? '?' : typeof output === 'object' ? output.id : output
  return `${asked}${named}: ${said}`
}

export const OBJECTS: Spec<Objects, ObjectIn, ObjectOut> = {
  initial: new Map(),
  step,
  key: keyOf,
  observes: (input, output) => input.do === 'find' || output === 'exists' || output === 'absent',
  partition: (operations) =>
    byObject(operations, ({ input }) => [
      ...('name' in input ? [`${input.kind} ${JSON.stringify(input.name)}`] : []),
      ...('id' in input ? [`${input.kind} ${input.id}`] : []),
    ]),
  show,
}
