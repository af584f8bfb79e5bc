// Bob Jenkins' hash, of the bytes of a packet's fields (`jhash` in rules) or of an address (translation to one of several).
// Sources: include/linux/jhash.h (lookup3), net/netfilter/{nft_hash,nf_nat_core}.c; include/linux/kernel.h (reciprocal_scale).

const INITIAL = 0xdeadbeef
const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by))

/** 32 bits of hash of these bytes. */
export const jhash = (bytes: ReadonlyArray<number>, seed: number): number => {
  const start = (INITIAL + bytes.length + seed) | 0
  let [a, b, c] = [start, start, start]
  const word = (at: number): number =>
    (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
  let at = 0
  for (; bytes.length - at > 12; at += 12) {
    a = (a + word(at)) | 0
    b = (b + word(at + 4)) | 0
    c = (c + word(at + 8)) | 0
    a = ((a - c) | 0) ^ rotate(c, 4)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 6)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 8)
    b = (b + a) | 0
    a = ((a - c) | 0) ^ rotate(c, 16)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 19)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 4)
    b = (b + a) | 0
  }
  if (bytes.length === at) return c >>> 0
  a = (a + word(at)) | 0
  b = (b + word(at + 4)) | 0
  c = (c + word(at + 8)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  c = ((c ^ b) - rotate(b, 24)) | 0
  return c >>> 0
}

/** A hash brought to a range: 0 to `mod` - 1. */
export const scale = (hash: number, mod: number): number => Number((BigInt(hash) * BigInt(mod)) >> 32n)
