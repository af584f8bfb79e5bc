// Numbers and texts in the byte order of the host, which netlink speaks (netlink(7)); what the network orders says so.

/** Whether this machine keeps the low byte first. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Netlink pads messages and attributes to four bytes (NLMSG_ALIGNTO, NLA_ALIGNTO). For sizes below 2^31. */
export const align = (size: number): number => (size + 3) & ~3

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const concat = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  let size = 0
  for (const part of parts) size += part.length
  const all = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** `size` bytes that `fill` writes into. */
export const struct = (size: number, fill: (view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(size)
  fill(viewOf(bytes))
  return bytes
}

const UTF8 = new TextEncoder()
const FROM_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** With the NUL that ends it. */
export const textBytes = (text: string): Uint8Array => UTF8.encode(`${text}\0`)

const SHORT = 64

/** Up to the first NUL, if there is one. Bytes that are no UTF-8 read as U+FFFD. */
export const textIn = (view: DataView, from: number, to: number): string => {
  let ascii = ''
  let at = from
  for (; at < to && at - from < SHORT; at++) {
    const byte = view.getUint8(at)
    if (byte === 0) return ascii
    if (byte > 127) break
    ascii += String.fromCharCode(byte)
  }
  if (at === to) return ascii
  const bytes = new Uint8Array(view.buffer, view.byteOffset + from, to - from)
  const end = bytes.indexOf(0)
  return FROM_UTF8.decode(end < 0 ? bytes : bytes.subarray(0, end))
}
