// Which labs belong to a `cnm` that is still running. A run holds an abstract Unix socket (unix(7)) with its lab's name: it
// goes with the process, however that ends, and leaves no file. So `cnm down` can tell a kept lab from one at work, if both run in
// one network namespace: abstract sockets belong to it.

import { connect, createServer } from 'node:net'
import type { Lab } from '../kernel-linux/names.ts'

const addressOf = (lab: Lab): string => `\0cnm-lab-${lab}`

/** Holds the lab's name until this process ends or the answer is called. */
export const claim = (lab: Lab): Promise<() => void> =>
  new Promise((resolve, reject) => {
    const server = createServer((visitor) => visitor.destroy())
    server.once('error', reject)
    server.listen(addressOf(lab), () => {
      server.unref()
      resolve(() => server.close())
    })
  })

export const isClaimed = (lab: Lab): Promise<boolean> =>
  new Promise((resolve) => {
    const visit = connect(addressOf(lab))
    const answer = (claimed: boolean): void => {
      visit.destroy()
      resolve(claimed)
    }
    visit.once('connect', () => answer(true))
    visit.once('error', () => answer(false))
  })
