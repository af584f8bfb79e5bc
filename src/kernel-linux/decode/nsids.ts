// `ip -j netns list-id`: the numbers by which one namespace knows others, and their names where they have one.

import { fields, list, text, whole } from './json.ts'

/** Real names by nsid. */
export const decodeNsids = (json: unknown): ReadonlyMap<number, string> => {
  const names = new Map<number, string>()
  for (const entry of list(json).map(fields)) {
    const nsid = whole(entry['nsid'])
    const name = text(entry['name'])
    if (nsid !== null && name !== null) names.set(nsid, name)
  }
  return names
}
