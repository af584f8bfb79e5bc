// libnftables in process (libnftables(3)), with nothing around it: what the floor changes the firewall with.

import { createRequire } from 'node:module'
import type Koffi from 'koffi'
import { loadLibc } from '../../src/kernel-linux/netlink/libc.ts'
import { closeNetns, openNetns } from '../../src/kernel-linux/netlink/netns.ts'
import { within } from '../../src/kernel-linux/netlink/thread.ts'
import { type Later, right } from './tidy.ts'

/** Runs commands as nft(8) reads them, in one transaction, and gives what they print; `json` as `nft --json` would. */
export type Nft = (commands: string) => string

const NFT_CTX_DEFAULT = 0
const NFT_CTX_OUTPUT_JSON = 1 << 4

/** In a namespace: the library's socket is opened with it, and stays there. */
export const nftIn = (later: Later, path: string, json = false): Nft => {
  const koffi: typeof Koffi = createRequire(import.meta.url)('koffi')
  const library = koffi.load('libnftables.so.1')
  const make = library.func('void *nft_ctx_new(uint)')
  const free = library.func('void nft_ctx_free(void *)')
  const run = library.func('int nft_run_cmd_from_buffer(void *, const char *)')
  const complaint = library.func('const char *nft_ctx_get_error_buffer(void *)')
  const output = library.func('const char *nft_ctx_get_output_buffer(void *)')
  const fd = right(openNetns({ path }))
  const context: unknown = right(within(right(loadLibc()), fd, () => make(NFT_CTX_DEFAULT)))
  closeNetns(fd)
  later(() => free(context))
  library.func('int nft_ctx_buffer_error(void *)')(context)
  library.func('int nft_ctx_buffer_output(void *)')(context)
  if (json) library.func('void nft_ctx_output_set_flags(void *, uint)')(context, NFT_CTX_OUTPUT_JSON)
  return (commands) => {
    if (run(context, commands) !== 0) throw new Error(complaint(context))
    return output(context)
  }
}
