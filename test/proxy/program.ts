// A proxy as a program, for tests: each line of its input is what to relay, as JSON; it answers with what could not be opened.

import { createInterface } from 'node:readline'
import { ip } from '../../src/net/ip.ts'
import { port } from '../../src/net/port.ts'
import type { End } from '../../src/net/relay.ts'
import { makeProxy } from '../../src/proxy/proxy.ts'

type Written = Readonly<{ ip: string; port: number }>
export type Line = ReadonlyArray<Readonly<{ transport: 'tcp' | 'udp'; at: Written; to: Written }>>

const endOf = (end: Written): End => ({ ip: ip(end.ip), port: port(end.port) })

const proxy = makeProxy({ expireMs: Number(process.argv[2]) })
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  // Only our own test writes to this pipe.
  const wanted = JSON.parse(line) as Line
  const failures = await proxy.serve(
    wanted.map(({ transport, at, to }) => ({ transport, at: endOf(at), to: endOf(to) })),
  )
  console.log(JSON.stringify(failures.map(({ why }) => why)))
}
proxy.close()
