// Which services are active (Compose Specification, "Profiles"): those without a profile, and those with an active one.

import { child, type Entry, entriesOf, itemsOf, type Mapping, textOf } from '../tree.ts'

export type Services = Readonly<{
  active: ReadonlyMap<string, Entry>
  /** With the profiles that would make them active. */
  inactive: ReadonlyMap<string, ReadonlyArray<string>>
}>

/** The profile `*` stands for all of them. */
export const selectServices = (project: Mapping, profiles: ReadonlyArray<string>): Services => {
  const active = new Map<string, Entry>()
  const inactive = new Map<string, ReadonlyArray<string>>()
  for (const [name, entry] of entriesOf(child(project, 'services'))) {
    const own = itemsOf(child(entry.value, 'profiles')).flatMap((item) => textOf(item) ?? [])
    if (own.length === 0 || profiles.includes('*') || own.some((profile) => profiles.includes(profile)))
      active.set(name, entry)
    else inactive.set(name, own)
  }
  return { active, inactive }
}
