// What can go wrong with netlink itself. A refusal of one message in a batch is no error of the conversation: see Ack.

import { errnoName } from './errno.ts'
import type { Ack } from './refusal.ts'

export type NetlinkError = Readonly<
  /** koffi, or a function of the C library, could not be loaded: the path through iproute2 is left. */
  | { tag: 'NoLibc'; why: string }
  /** `errno` is the libc's name of `code`; `about` what the call was about. */
  | { tag: 'SystemCall'; call: string; code: number; errno: string; about: string }
  /** The kernel had more to say than there was room for (ENOBUFS): what happened is unknown, so look again. */
  | { tag: 'Overrun' }
  /** A dump kept being overtaken by changes (NLM_F_DUMP_INTR). */
  | { tag: 'Interrupted'; tries: number }
  /** A question, or a dump as a whole, was refused. */
  | { tag: 'Refused'; ack: Ack }
  | { tag: 'Malformed'; what: string }
  | { tag: 'Silent'; afterMs: number }
  | { tag: 'Closed' }
>

export const systemCall = (call: string, code: number, about: string): NetlinkError => ({
  tag: 'SystemCall',
  call,
  code,
  errno: errnoName(code),
  about,
})

export const showNetlinkError = (error: NetlinkError): string => {
  switch (error.tag) {
    case 'NoLibc':
      return `the C library cannot be called: ${error.why}`
    case 'SystemCall':
      return `${error.call}: ${error.errno} (${error.about})`
    case 'Overrun':
      return 'the netlink socket overflowed'
    case 'Interrupted':
      return `the dump was overtaken by changes ${error.tries} times`
    case 'Refused':
      return `refused: ${error.ack.text ?? errnoName(error.ack.code)}`
    case 'Malformed':
      return `the kernel's answer is not well-formed: ${error.what}`
    case 'Silent':
      return `the kernel did not answer within ${error.afterMs} ms`
    case 'Closed':
      return 'the netlink socket is closed'
  }
}
