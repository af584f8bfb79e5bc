// The only file that reads other programs' error text. Their messages come from strerror(3), from the kernel's extended
// acknowledgements (iproute2 shows those instead of the errno), and from the tools themselves; all with LC_ALL=C.
// Checked against iproute2 6.1, nftables 1.0.6, procps 4.0 and Linux 6.18 in test/kernel-linux.

import { type Errno, strerror } from '../kernel/errno.ts'
import type { Failure } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { Ask } from '../kernel/rtnl/request.ts'

/** What a program said about one command: the errno it stands for, and its words. */
export type Complaint = Readonly<{ errno: Errno; detail: string }>

/** The kernel's extended acknowledgements that our operations meet, with the errno the kernel sends beside them. */
const ACKNOWLEDGED: ReadonlyArray<readonly [RegExp, Errno]> = [
  [/address already assigned/i, 'EEXIST'],
  [/address not found/i, 'EADDRNOTAVAIL'],
  [/Cannot assign (multicast|loopback) address|ipv6: Invalid address/, 'EADDRNOTAVAIL'],
  [/Nexthop has invalid gateway/, 'ENETUNREACH'],
  [/FIB table does not exist/, 'ESRCH'],
  [/ipv4: Device not found|unknown ifindex|Unable to find the interface/, 'ENODEV'],
  [/(Device for nexthop|Nexthop device) is not up/, 'ENETDOWN'],
  [/IPv6 is disabled on (this|nexthop) device/, 'EACCES'],
  [/Can not enslave a bridge to a bridge/, 'ELOOP'],
  [/A VXLAN device with the specified VNI already exists/, 'EEXIST'],
  [/same name exists in the target netns/, 'EEXIST'],
  [/New (group|local) address family does not match|annot change (\w+ flag|VNI|port)/, 'EOPNOTSUPP'],
  [/Provided Ethernet address is not unicast/, 'EADDRNOTAVAIL'],
  [/IPv6 support disabled by administrator/, 'EPERM'],
  [/Invalid local interface, device not found/, 'ENODEV'],
  [/Attribute failed policy validation/, 'ERANGE'],
  [/Nexthop device required for onlink/, 'ENODEV'],
  [/Can not replace route - no match found/, 'ENOENT'],
  [/Unknown device type/, 'EOPNOTSUPP'],
  [/mtu (less|greater) than device (minimum|maximum)/, 'EINVAL'],
  [/Gateway can not be a local address|Invalid prefix for given prefix length/, 'EINVAL'],
]

/** The tools' own complaints, about what they found out before they asked the kernel to act. */
const OF_TOOLS: ReadonlyArray<readonly [RegExp, Errno]> = [
  [/Cannot find (bridge )?device|Device does not exist/, 'ENODEV'],
  [/Invalid "netns" value/, 'ENOENT'],
  [/interval overlaps with an existing one/, 'EEXIST'],
  [/element does not exist/, 'ENOENT'],
]

/** Longer sentences first: one may begin another. */
const OF_LIBC: ReadonlyArray<readonly [RegExp, Errno]> = Object.entries(strerror)
  .sort(([, a], [, b]) => b.length - a.length)
  // The keys of strerror are the type Errno, which Object.entries forgets.
  .map(([errno, words]) => [new RegExp(words, 'i'), errno as Errno])

const PATTERNS = [...ACKNOWLEDGED, ...OF_TOOLS, ...OF_LIBC]

/** What ip(8) remarks, and goes on. */
const REMARK = /^Warning: /

/** The line that says what was wrong; nft quotes the script below it. */
const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !REMARK.test(line)) ?? ''

/** Words that nobody foresaw mean EINVAL; no words at all mean that the program died: EIO. */
export const complaintOf = (text: string): Complaint => {
  const detail = firstLine(text)
  if (detail === '') return { errno: 'EIO', detail: 'the program ended without a word' }
  return { errno: PATTERNS.find(([pattern]) => pattern.test(detail))?.[1] ?? 'EINVAL', detail }
}

/** A sentence that stands for another errno where another operation was refused: inet6_addr_del has ENXIO for it. */
export const inContext = (op: KernelOp, complaint: Complaint): Complaint =>
  op.verb === 'delete' && op.object.kind === 'address' && /IPv6 is disabled/.test(complaint.detail)
    ? { ...complaint, errno: 'ENXIO' }
    : complaint

/** The same sentence, told of another request; the kernel sends another errno with it. */
const ELSEWHERE: ReadonlyArray<readonly [on: Ask['on'], do_: string, words: RegExp, errno: Errno]> = [
  ['address', 'delete', /IPv6 is disabled/, 'ENXIO'],
]

/** Sentences that the kernel sends with one errno or another, which the tools then keep to themselves. */
const AMBIGUOUS: ReadonlyArray<readonly [RegExp, ReadonlyArray<Errno>]> = [
  // fib_check_nh: no route to it, or one that is of no use.
  [/Nexthop has invalid gateway/, ['ENETUNREACH', 'EINVAL']],
]

/** The errnos that the words of a tool may stand for: the one that was read, and others of the same sentence. */
export const errnosOf = ({ errno, detail }: Complaint): ReadonlyArray<Errno> =>
  AMBIGUOUS.find(([words]) => words.test(detail))?.[1] ?? [errno]

/** What a tool said that was given one request as a command. */
export const complaintAbout = (ask: Ask, stderr: string): Complaint => {
  const complaint = complaintOf(stderr)
  const other = ELSEWHERE.find(([on, verb, words]) => on === ask.on && verb === ask.do && words.test(complaint.detail))
  return other === undefined ? complaint : { ...complaint, errno: other[3] }
}

/** The complaints of `ip` or `bridge -force -batch -`, by input line from 1; `last`: what it said before it gave up. */
export type BatchComplaints = Readonly<{ lines: ReadonlyMap<number, Complaint>; last: string }>

export const batchComplaints = (stderr: string): BatchComplaints => {
  const lines = new Map<number, Complaint>()
  let said = ''
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed -:(\d+)$/.exec(line)
    if (failed === null) {
      said += `${line}\n`
    } else {
      lines.set(Number(failed[1]), complaintOf(said))
      said = ''
    }
  }
  return { lines, last: said.trim() }
}

/** The words of a complaint without the program's own around them. */
export const bareWords = (detail: string): string =>
  detail.replace(/^(Error|RTNETLINK answers|unshare): /, '').replace(/\.$/, '')

/** Whether a tool could not even enter its namespace (`ip -n`, `bridge -n`, `nsenter`). */
export const noNamespace = (stderr: string): boolean =>
  /^(Cannot open network namespace|setting the network namespace|nsenter: (cannot open|reassociate to namespace))/m.test(
    stderr,
  )

/** How ping(8) without an answer ended: status 1 is silence or an ICMP error on stdout, 2 a refusal to send. */
export const pingFailure = (status: number | null, stdout: string, stderr: string): Failure => {
  if (/Unreachable|Time to live exceeded|Packet filtered|No route/i.test(stdout)) return 'unreachable'
  return status === 1 && stderr === '' ? 'timeout' : 'unreachable'
}

/** How connect(2), send(2) or recv(2) ended, by the errno's name. */
export const socketFailure = (code: string): Failure =>
  code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'refused' : code === 'ETIMEDOUT' ? 'timeout' : 'unreachable'
