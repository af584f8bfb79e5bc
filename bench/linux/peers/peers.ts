// The other systems, as far as they are installed.

import type { Contender, Needs, Peer } from '../contender.ts'
import type { Later } from '../tidy.ts'
import { cni } from './cni.ts'
import { dockerd } from './dockerd.ts'
import { netavark } from './netavark.ts'

const PEERS: ReadonlyArray<Peer> = [dockerd, cni, netavark]

const told = new Set<string>()

/** Those that are installed; of the others it says once what to install. */
export const openPeers = async (later: Later, needs: Needs): Promise<ReadonlyArray<Contender>> => {
  const there: Contender[] = []
  for (const { name, missing, open } of PEERS) {
    const packages = missing()
    if (packages === null) there.push(await open(later, needs))
    else if (!told.has(name)) {
      told.add(name)
      console.error(`not measured beside ours, for it is not installed: ${name} (apt-get install ${packages})`)
    }
  }
  return there
}
