// Logs of IpamDriver requests, as `cnm ipam` reads them.

import { execa } from 'execa'
import { expect } from 'vitest'
import { CNM, cnm, type Ended } from './cnm.ts'

export type Json = Readonly<Record<string, unknown>>

export const text = (requests: ReadonlyArray<Json>): string =>
  requests.map((each) => `${JSON.stringify(each)}\n`).join('')
export const jsonOf = (out: string): ReadonlyArray<Json> =>
  out
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

/** The answers to an input, which must be all there is to say. */
export const answersTo = async (
  input: string | Uint8Array,
  args: ReadonlyArray<string> = [],
): Promise<ReadonlyArray<Json>> => {
  const { exit, out, err } = await cnm(['ipam', 'replay', ...args], { input })
  expect([exit, err]).toEqual([0, ''])
  return jsonOf(out)
}
export const answers = (...requests: ReadonlyArray<Json>): Promise<ReadonlyArray<Json>> => answersTo(text(requests))

export const CAPABILITIES = { Method: 'GetCapabilities' }
export const pool = (Pool: string, more: Json = {}): Json => ({
  Method: 'RequestPool',
  AddressSpace: 'LocalDefault',
  Pool,
  ...more,
})
export const address = (PoolID: string, Address = '', Options: Json = {}): Json => ({
  Method: 'RequestAddress',
  PoolID,
  Address,
  Options,
})
export const SMALL = 'LocalDefault/10.1.0.0/29'
export const isError = (Code: string, Class = 'InvalidParameter'): unknown =>
  expect.objectContaining({ Error: expect.stringMatching(/\S/), Class, Code })
export const INVALID = isError('InvalidRequest')

/** Runs a pipeline of bash. */
export const shell = (script: string): Promise<Ended> =>
  execa('bash', ['-c', script], { reject: false, timeout: 60_000, env: { CNM } }).then(
    ({ exitCode, stdout, stderr }) => ({ exit: exitCode, out: stdout, err: stderr }),
  )
