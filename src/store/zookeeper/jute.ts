// How ZooKeeper puts what it says into bytes: big-endian numbers, texts and buffers after their lengths, records field by field.
// Reading past the end throws: whoever sent that speaks another protocol.
// Source: zookeeper-jute, BinaryOutputArchive and BinaryInputArchive.

export const int = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const long = (value: bigint): Buffer => {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export const flag = (value: boolean): Buffer => Buffer.from([value ? 1 : 0])
export const buffer = (value: Buffer): Buffer => Buffer.concat([int(value.length), value])
export const text = (value: string): Buffer => buffer(Buffer.from(value))
export const vector = (values: ReadonlyArray<Buffer>): Buffer => Buffer.concat([int(values.length), ...values])

export type Reader = Readonly<{
  int: () => number
  long: () => bigint
  flag: () => boolean
  buffer: () => Buffer
  text: () => string
  vector: <A>(item: () => A) => ReadonlyArray<A>
  /** How many bytes are left. */
  left: () => number
}>

export const readerOf = (bytes: Buffer): Reader => {
  let at = 0
  const skip = (count: number): number => {
    at += count
    return at - count
  }
  const int = (): number => bytes.readInt32BE(skip(4))
  /** A buffer that is null has the length -1. */
  const buffer = (): Buffer => {
    const length = Math.max(0, int())
    if (length > bytes.length - at) throw new RangeError(`${length} bytes are said to follow ${at} of ${bytes.length}`)
    return bytes.subarray(skip(length), at)
  }
  return {
    int,
    long: () => bytes.readBigInt64BE(skip(8)),
    flag: () => bytes.readUInt8(skip(1)) !== 0,
    buffer,
    text: () => buffer().toString(),
    vector: (item) => {
      const items = []
      for (let left = int(); left > 0; left--) items.push(item())
      return items
    },
    left: () => bytes.length - at,
  }
}
