// Captures of one device in the classic file format (draft-ietf-opsawg-pcap), with nanoseconds, in little-endian order.

/** `timeNs`: since 1970, or since a simulation began; at most 2^32 seconds. */
export type Captured = Readonly<{ timeNs: bigint; bytes: Uint8Array }>

const MAGIC = 0xa1b23c4d
const VERSION = [2, 4] as const
/** No frame of ours is longer; that of tcpdump(8). */
export const SNAP_LENGTH = 262144
/** Ethernet frames without their checksum. */
export const LINKTYPE_ETHERNET = 1
const SECOND = 1_000_000_000n
const FILE_HEADER = 24
const PACKET_HEADER = 16

/** A file that tcpdump(8) and Wireshark read. */
export const writePcap = (packets: ReadonlyArray<Captured>): Uint8Array => {
  const file = new Uint8Array(packets.reduce((n, { bytes }) => n + PACKET_HEADER + bytes.length, FILE_HEADER))
  const view = new DataView(file.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint16(4, VERSION[0], true)
  view.setUint16(6, VERSION[1], true)
  view.setUint32(16, SNAP_LENGTH, true)
  view.setUint32(20, LINKTYPE_ETHERNET, true)
  let at = FILE_HEADER
  for (const { timeNs, bytes } of packets) {
    view.setUint32(at, Number(timeNs / SECOND), true)
    view.setUint32(at + 4, Number(timeNs % SECOND), true)
    view.setUint32(at + 8, bytes.length, true)
    view.setUint32(at + 12, bytes.length, true)
    file.set(bytes, at + PACKET_HEADER)
    at += PACKET_HEADER + bytes.length
  }
  return file
}
