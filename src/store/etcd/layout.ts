// How a store lies in etcd, below its prefix: the head, which says whose it is; the entries; one mark for each transaction under way
// (send.ts). Keys and values are UTF-8; a large value is packed (../packed.ts).

export type Layout = Readonly<{ base: string; head: string; entries: string; marks: string }>

/** `prefix`: as in the URL. */
export const layoutAt = (prefix: string): Layout => ({
  base: `${prefix}/`,
  head: `${prefix}/head`,
  entries: `${prefix}/at/`,
  marks: `${prefix}/by/`,
})

export const bytesOf = (text: string): Buffer => Buffer.from(text)
/** Of a field of bytes, which is left out where there are none. */
export const bytesIn = (bytes: unknown): Buffer =>
  bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.alloc(0)
export const textOf = (bytes: unknown): string => bytesIn(bytes).toString()

/** The first key behind all that begin with it. The last byte of UTF-8 can always be raised. */
export const endOf = (prefix: string): Buffer => {
  const bytes = Buffer.from(prefix)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1
  return bytes
}
