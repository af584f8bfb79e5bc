// Linkwatch is the kernel's work queue for carriers that have changed; it may take up to a second, while in the simulation it is done with
// the request. Asking for a device alone lets it look at that one at once (since 6.8; linkwatch_sync_dev).

import { release } from 'node:os'
import { decodeLink, dumpLinks, getLink, type LinkMessage } from '../../src/kernel-linux/netlink/codec/link.ts'
import { askAll, dump } from '../../src/kernel-linux/netlink/conversation.ts'
import { showNetlinkError } from '../../src/kernel-linux/netlink/error.ts'
import { openSocket, type Socket } from '../../src/kernel-linux/netlink/socket.ts'
import { isSince, versionOf } from '../../src/kernel-sim/version.ts'
import { E } from '../../src/prelude.ts'

/** The devices of a namespace, and who can be asked there. */
export type Watched = Readonly<{ socket: Socket; links: ReadonlyArray<LinkMessage> }>

/** What linkwatch changes of a device. */
const stateOf = ({ flags, operstate, link }: LinkMessage): string => `${flags} ${operstate} ${link}`

const isBehindIn = async ({ socket, links }: Watched): Promise<boolean> => {
  if (links.length === 0) return false
  const requests = links.map(({ index }) => getLink({ index }))
  const replies = await askAll(socket, requests, decodeLink, 'here')()
  if (E.isLeft(replies)) throw new Error(showNetlinkError(replies.left))
  return replies.right.some(({ value }, i) => {
    const was = links[i]
    return value === null || was === undefined || stateOf(value) !== stateOf(was)
  })
}

/** Linkwatch looks at once at what is bound to another device, such as a veth, and at the rest later (linkwatch_urgent_event). */
const isUrgent = ({ link, index }: LinkMessage): boolean => link !== undefined && link !== index

/** An older kernel looks when it likes, which is a second later at most. */
const CAN_HURRY = isSince(versionOf(release()), 6, 8)

/** Lets linkwatch look at all these devices now; whether any is not as it was told, so that there may be more to do. */
export const wasBehind = async (all: ReadonlyArray<Watched>): Promise<boolean> => {
  if (!CAN_HURRY) return false
  let behind = false
  for (const urgent of [true, false])
    for (const { socket, links } of all)
      if (await isBehindIn({ socket, links: links.filter((link) => isUrgent(link) === urgent) })) behind = true
  return behind
}

/** Until linkwatch has nothing left to do in these namespaces, each at its path; one that is not there has nothing. */
export const settled = async (paths: ReadonlyArray<string>): Promise<void> => {
  const sockets = paths.flatMap((path) => {
    const socket = openSocket({ in: 'path', path })
    return E.isLeft(socket) ? [] : [socket.right]
  })
  const watched = async (socket: Socket): Promise<Watched> => {
    const links = await dump(socket, dumpLinks(), decodeLink, 'here')()
    if (E.isLeft(links)) throw new Error(showNetlinkError(links.left))
    return { socket, links: links.right }
  }
  try {
    while (await wasBehind(await Promise.all(sockets.map(watched))));
  } finally {
    await Promise.all(sockets.map((socket) => socket.close()))
  }
}
