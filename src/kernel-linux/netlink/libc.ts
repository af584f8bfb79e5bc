// The functions of the C library that netlink, namespaces and tries (../traffic) need, called through koffi. It is loaded when first asked for, so
// that where it cannot be (another platform, no prebuilt) that is an answer and not a crash.
// koffi keeps errno for each call, also for those on its worker threads. Types: `long` is ssize_t, `ulong` size_t.

import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { E, type Either } from '../../prelude.ts'
import { limitOf } from '../limit.ts'
import type { NetlinkError } from './error.ts'

/** What a call gave, and its errno if that was -1. */
export type Called = Readonly<{ value: number; errno: number }>
type Bytes = Uint8Array | Int32Array | Uint32Array

export type Libc = Readonly<{
  socket: (domain: number, type: number, protocol: number) => Called
  bind: (fd: number, address: Bytes, size: number) => Called
  setsockopt: (fd: number, level: number, name: number, value: Bytes, size: number) => Called
  send: (fd: number, bytes: Uint8Array, size: number, flags: number) => Called
  recvfrom: (fd: number, into: Uint8Array, size: number, flags: number, from: Bytes, fromSize: Bytes) => Called
  recvmsg: (fd: number, header: Uint8Array, flags: number) => Called
  sendto: (fd: number, bytes: Uint8Array, size: number, flags: number, to: Bytes, toSize: number) => Called
  connect: (fd: number, address: Bytes, size: number) => Called
  listen: (fd: number, backlog: number) => Called
  accept4: (fd: number, address: Bytes | null, size: Bytes | null, flags: number) => Called
  shutdown: (fd: number, how: number) => Called
  getsockopt: (fd: number, level: number, name: number, value: Bytes, size: Bytes) => Called
  getsockname: (fd: number, address: Bytes, size: Bytes) => Called
  ioctl: (fd: number, request: number, argument: Bytes | null) => Called
  setns: (fd: number, kind: number) => Called
  unshare: (kind: number) => Called
  mount: (source: string | null, target: string, type: string | null, flags: number, data: string | null) => Called
  umount2: (target: string, flags: number) => Called
  /** The same on a worker thread. What it is given must be left alone until it is done. */
  aside: Readonly<{
    send: (fd: number, bytes: Uint8Array, size: number, flags: number) => Promise<Called>
    recvfrom: (
      fd: number,
      into: Uint8Array,
      size: number,
      flags: number,
      from: Bytes,
      fromSize: Bytes,
    ) => Promise<Called>
  }>
  /** Where a buffer is. It stays there as long as it is referenced. */
  addressOf: (bytes: Uint8Array) => bigint
  /** Calls back whenever there is something to read, from the event loop's own poll. */
  whenReadable: (fd: number, then: () => void) => Readonly<{ close: () => void; unref: () => void }>
}>

/** libuv has four worker threads, which files and names need too. */
const WORKERS = 3

/**
 * libuv stops polling a file with an error waiting, such as ENOBUFS; reading it takes the error away, and polling goes on. koffi
 * gives the status first, which its types do not know.
 */
const whenReadable = (koffi: typeof Koffi, fd: number, then: () => void): ReturnType<Libc['whenReadable']> => {
  let open = true
  const called = (status: unknown): void => {
    // Out of the native call, so that what `then` throws or resolves goes the usual way.
    setImmediate(() => {
      if (open) then()
      if (open && status !== 0) handle.start({ readable: true }, called)
    })
  }
  const handle = koffi.node.poll(fd, { readable: true }, called)
  return {
    close: () => {
      open = false
      handle.close()
    },
    unref: () => handle.unref(),
  }
}

const bindAll = (koffi: typeof Koffi): Libc => {
  const library = koffi.load(null)
  const inTurn = limitOf(WORKERS)
  const called = (value: number): Called => ({ value, errno: value === -1 ? koffi.errno() : 0 })
  const here =
    <A extends ReadonlyArray<unknown>>(f: (...args: A) => number) =>
    (...args: A): Called =>
      called(f(...args))
  const aside =
    <A extends ReadonlyArray<unknown>>(f: Readonly<{ async: (...args: unknown[]) => void }>) =>
    (...args: A): Promise<Called> =>
      inTurn(
        () =>
          new Promise((resolve, reject) => {
            f.async(...args, (error: unknown, value: number) => {
              if (error === null) resolve(called(value))
              else reject(error)
            })
          }),
      )
  const send = library.func('long send(int, const void *, ulong, int)')
  const recvfrom = library.func('long recvfrom(int, void *, ulong, int, void *, void *)')
  return {
    socket: here(library.func('int socket(int, int, int)')),
    bind: here(library.func('int bind(int, const void *, uint)')),
    setsockopt: here(library.func('int setsockopt(int, int, int, const void *, uint)')),
    send: here(send),
    recvfrom: here(recvfrom),
    recvmsg: here(library.func('long recvmsg(int, void *, int)')),
    sendto: here(library.func('long sendto(int, const void *, ulong, int, const void *, uint)')),
    connect: here(library.func('int connect(int, const void *, uint)')),
    listen: here(library.func('int listen(int, int)')),
    accept4: here(library.func('int accept4(int, void *, void *, int)')),
    shutdown: here(library.func('int shutdown(int, int)')),
    getsockopt: here(library.func('int getsockopt(int, int, int, void *, void *)')),
    getsockname: here(library.func('int getsockname(int, void *, void *)')),
    ioctl: here(library.func('int ioctl(int, ulong, void *)')),
    setns: here(library.func('int setns(int, int)')),
    unshare: here(library.func('int unshare(int)')),
    mount: here(library.func('int mount(const char *, const char *, const char *, ulong, const char *)')),
    umount2: here(library.func('int umount2(const char *, int)')),
    aside: { send: aside(send), recvfrom: aside(recvfrom) },
    addressOf: koffi.address,
    whenReadable: (fd, then) => whenReadable(koffi, fd, then),
  }
}

let loaded: Either<NetlinkError, Libc> | null = null

/** Left: NoLibc. Loading takes some 10 ms, once. */
export const loadLibc = (): Either<NetlinkError, Libc> => {
  if (loaded === null) {
    try {
      if (process.platform !== 'linux') throw new Error(`this is ${process.platform}, not Linux`)
      // Not an import: a bundle must leave koffi where it is, beside its native part, and do without it where it is not.
      const koffi: typeof Koffi = createRequire(import.meta.url)('koffi')
      loaded = E.right(bindAll(koffi))
    } catch (error) {
      loaded = E.left({ tag: 'NoLibc', why: error instanceof Error ? error.message : String(error) })
    }
  }
  return loaded
}
