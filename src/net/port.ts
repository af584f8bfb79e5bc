// Transport protocols and ports.

import { type Brand, E, type Either } from '../prelude.ts'

/** 1 to 65535. */
export type Port = number & Brand<'Port'>
/** The protocols that ports belong to. */
export type Transport = 'tcp' | 'udp' | 'sctp'
export const TRANSPORTS: ReadonlyArray<Transport> = ['tcp', 'udp', 'sctp']

const DECIMAL = /^[1-9][0-9]{0,4}$/

export const isPort = (n: number): n is Port => Number.isInteger(n) && n >= 1 && n <= 65535

/** Reads `8080`. Left: a sentence. */
export const parsePort = (text: string): Either<string, Port> => {
  const n = Number(text)
  return DECIMAL.test(text) && isPort(n) ? E.right(n) : E.left(`"${text}" is not a port (1 to 65535)`)
}

export const parseTransport = (text: string): Either<string, Transport> => {
  const found = TRANSPORTS.find((t) => t === text)
  return found === undefined ? E.left(`"${text}" is not a protocol (tcp, udp or sctp)`) : E.right(found)
}

/** For ports written in our own source. Throws on anything else. */
export const port = (n: number): Port => {
  if (!isPort(n)) throw new Error(`${n} is not a port`)
  return n
}
