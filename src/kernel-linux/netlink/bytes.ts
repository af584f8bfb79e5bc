// Numbers and texts in the byte order of the host, which netlink speaks (netlink(7)); what the network orders says so.

/** Whether this machine keeps the low byte first. */
export const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Netlink pads messages and attributes to four bytes (NLMSG_ALIGNTO, NLA_ALIGNTO). For sizes below 2^31. */
export const align = (size: number): number => (size + 3) & ~3

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Where a message is being written, and how far that has come: behind `at` all is zero. */
export type Out = { readonly bytes: Uint8Array; readonly view: DataView; at: number }

/** Larger than any request of ours: past its end a write throws. */
const ROOM = 1 << 17
const scratch = new Uint8Array(ROOM)
const OUT: Out = { bytes: scratch, view: viewOf(scratch), at: 0 }

/** The bytes that `write` writes, which must not itself call this: there is one place, for small arrays are dear in V8. */
export const written = (write: (out: Out) => void): Uint8Array => {
  try {
    write(OUT)
    return OUT.bytes.slice(0, OUT.at)
  } finally {
    OUT.bytes.fill(0, 0, OUT.at)
    OUT.at = 0
  }
}

/** Until the next multiple of four bytes. */
export const pad = (out: Out): void => {
  out.at = align(out.at)
}

export const putBytes = (out: Out, bytes: Uint8Array): void => {
  out.bytes.set(bytes, out.at)
  out.at += bytes.length
}

const UTF8 = new TextEncoder()

export const putBareText = (out: Out, text: string): void => {
  out.at += UTF8.encodeInto(text, out.bytes.subarray(out.at)).written
}

/** With the NUL that ends it. */
export const putText = (out: Out, text: string): void => {
  putBareText(out, text)
  out.bytes[out.at++] = 0
}

const FROM_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

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
