// libnftables(3), called through koffi. It is loaded when first asked for; where it cannot be, that is an answer.
// A context has its netlink socket in the namespace that its thread was in, for good. The library keeps state of its own besides
// and does not say that it may be in two threads at once: see in-process.ts.
// Three things it does that a process like ours must provide for: it ends the process if it gets no socket; its socket is
// inherited by programs we start, which would keep the namespace alive; and to close it may take as long as to free what was
// deleted (nft_rcv_nl_event in net/netfilter/nf_tables_api.c waits for RCU), some 20 ms, so that is never done here.

import { closeSync, ftruncateSync, readdirSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { E, type Either } from '../../prelude.ts'
import { type NetlinkError, systemCall } from '../netlink/error.ts'
import { type Libc, loadLibc } from '../netlink/libc.ts'
import type { Turn } from '../netlink/socket.ts'
import { AF_NETLINK } from '../netlink/uapi/netlink.ts'

/** How one run ended: what it printed, or (Left) what it said was wrong. */
export type Said = Either<string, string>

export type Context = Readonly<{
  /** Runs commands as one transaction. */
  run: (text: string, turn: Turn) => Promise<Said>
  /** The same from a file in memory: 20 us more, but complaints name their lines, `FILE:LINE:COLUMNS: Error: ...`. */
  runFile: (text: string, turn: Turn) => Promise<Said>
  /** Runs a command that lists something; as JSON (libnftables-json(5)). */
  list: (command: string) => Promise<Said>
  free: () => Promise<void>
}>

export type Nftables = Readonly<{
  /** A context of the namespace this thread is in. Left: EMFILE; EPROTONOSUPPORT where the kernel has no nfnetlink. Takes 20 us. */
  open: () => Either<NetlinkError, Context>
}>

const LIBRARY = 'libnftables.so.1'

/** include/nftables/libnftables.h. */
const NFT_CTX_DEFAULT = 0
const NFT_CTX_OUTPUT_JSON = 1 << 4

const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_PROTOCOL = 38
const NETLINK_NETFILTER = 12
const F_SETFD = 2
const FD_CLOEXEC = 1
const MFD_CLOEXEC = 1
const SIG_BLOCK = 0
const SIG_SETMASK = 2
/** sigset_t of glibc; of musl it is the same. */
const SIGSET_BYTES = 128
const EVERY_SIGNAL = new Uint8Array(SIGSET_BYTES).fill(0xff)

/** A pointer of koffi's, only ever handed back to it. */
type Pointer = unknown

const bindAll = (koffi: typeof Koffi, libc: Libc): Nftables => {
  const library = koffi.load(LIBRARY)
  const newContext = library.func('void *nft_ctx_new(uint)')
  const freeContext = library.func('void nft_ctx_free(void *)')
  const bufferOutput = library.func('int nft_ctx_buffer_output(void *)')
  const bufferError = library.func('int nft_ctx_buffer_error(void *)')
  const output = library.func('const char *nft_ctx_get_output_buffer(void *)')
  const error = library.func('const char *nft_ctx_get_error_buffer(void *)')
  const setFlags = library.func('void nft_ctx_output_set_flags(void *, uint)')
  const runBuffer = library.func('int nft_run_cmd_from_buffer(void *, const char *)')
  const runFilename = library.func('int nft_run_cmd_from_filename(void *, const char *)')
  const c = koffi.load(null)
  const fcntl = c.func('int fcntl(int, int, ...)')
  const getsockopt = c.func('int getsockopt(int, int, int, void *, void *)')
  const sigmask = c.func('int pthread_sigmask(int, const void *, void *)')
  const signals = new Uint8Array(SIGSET_BYTES)
  const memfd: number = c.func('int memfd_create(const char *, uint)')('cnm-nft', MFD_CLOEXEC)

  /**
   * With no signal to this thread: the library waits for the kernel's answer with select(2), which a signal ends (a child's end,
   * say), and then does not know what was done. A worker thread gets none that this one takes.
   */
  const undisturbed = (f: () => number): number => {
    sigmask(SIG_BLOCK, EVERY_SIGNAL, signals)
    try {
      return f()
    } finally {
      sigmask(SIG_SETMASK, signals, null)
    }
  }
  const isNetfilter = (fd: number): boolean => {
    const protocol = new Int32Array(1)
    return (
      getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, protocol, Uint32Array.of(4)) === 0 && protocol[0] === NETLINK_NETFILTER
    )
  }
  /** `likely`: the number that was free when the library took one; another thread may have been quicker. */
  const keepFromChildren = (likely: number): void => {
    const fds = isNetfilter(likely) ? [likely] : readdirSync('/proc/self/fd').map(Number).filter(isNetfilter)
    for (const fd of fds) fcntl(fd, F_SETFD, 'int', FD_CLOEXEC)
  }
  const call = (f: typeof runBuffer, context: Pointer, argument: string, turn: Turn): Promise<Said> =>
    new Promise((resolve, reject) => {
      // Reading a buffer empties it.
      const ended = (status: number): Said => {
        const [printed, wrong] = [String(output(context)), String(error(context))]
        return status === 0 ? E.right(printed) : E.left(wrong)
      }
      if (turn === 'here') return resolve(ended(undisturbed(() => f(context, argument))))
      f.async(context, argument, (failed: unknown, status: number) => {
        if (failed === null) resolve(ended(status))
        else reject(failed)
      })
    })
  const contextOf = (context: Pointer): Context => {
    const run: Context['run'] = (text, turn) => call(runBuffer, context, text, turn)
    return {
      run,
      runFile: (text, turn) => {
        if (memfd < 0) return run(text, turn)
        ftruncateSync(memfd)
        writeSync(memfd, text, 0)
        return call(runFilename, context, `/proc/self/fd/${memfd}`, turn)
      },
      list: async (command) => {
        setFlags(context, NFT_CTX_OUTPUT_JSON)
        const said = await run(command, 'aside')
        setFlags(context, 0)
        return said
      },
      free: () =>
        new Promise((resolve, reject) => {
          freeContext.async(context, (failed: unknown) => (failed === null ? resolve() : reject(failed)))
        }),
    }
  }
  return {
    open: () => {
      // A trial, for nft_ctx_new would end the process. The library's socket then gets the same number, the lowest one free.
      const { value: fd, errno } = libc.socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER)
      if (fd < 0) return E.left(systemCall('socket', errno, 'nfnetlink'))
      closeSync(fd)
      const context: Pointer = newContext(NFT_CTX_DEFAULT)
      keepFromChildren(fd)
      bufferOutput(context)
      bufferError(context)
      return E.right(contextOf(context))
    },
  }
}

let loaded: Either<NetlinkError, Nftables> | null = null

/** Left: NoLibc. */
export const loadNftables = (): Either<NetlinkError, Nftables> => {
  if (loaded === null) {
    const libc = loadLibc()
    if (E.isLeft(libc)) return libc
    try {
      // Not an import, as in netlink/libc.ts.
      const koffi: typeof Koffi = createRequire(import.meta.url)('koffi')
      loaded = E.right(bindAll(koffi, libc.right))
    } catch (error) {
      loaded = E.left({ tag: 'NoLibc', why: error instanceof Error ? error.message : String(error) })
    }
  }
  return loaded
}
