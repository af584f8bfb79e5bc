// The files that a store's URL names, as far as they are read before anything is sent: certificates, and secrets that stand in no URL.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { TlsOptions } from '../url.ts'

/** PEM. */
export type Tls = Readonly<{ ca: string | null; cert: string | null; key: string | null }>

type Read<A> = Either<StoreError, A>

const unusable = (what: string, defect: unknown): StoreError => {
  const why = defect instanceof Error ? defect.message : String(defect)
  return { tag: 'StoreUnavailable', what: `the ${what} of the store's URL cannot be read: ${why}`, hint: null }
}

/** Null: the URL names none. `what`: the option. */
const readText = async (file: string | null, what: string): Promise<Read<string | null>> => {
  try {
    return E.right(file === null ? null : await readFile(file, 'utf8'))
  } catch (error) {
    return E.left(unusable(what, error))
  }
}

/** A secret alone on a line. */
export const readSecret = async (file: string | null, what: string): Promise<Read<string | null>> => {
  const text = await readText(file, what)
  return E.isLeft(text) ? text : E.right(text.right?.replace(/\r?\n$/, '') ?? null)
}

/** Null: there is to be no TLS. */
export const readTls = async (url: TlsOptions): Promise<Read<Tls | null>> => {
  if (!url.tls) return E.right(null)
  const ca = await readText(url.ca, 'ca')
  if (E.isLeft(ca)) return ca
  const cert = await readText(url.cert, 'cert')
  if (E.isLeft(cert)) return cert
  const key = await readText(url.key, 'key')
  if (E.isLeft(key)) return key
  const tls = { ca: ca.right, cert: cert.right, key: key.right }
  try {
    // Node takes a "ca" without a certificate for one that trusts nobody.
    if (tls.ca !== null) new X509Certificate(tls.ca)
  } catch (error) {
    return E.left(unusable('ca', error))
  }
  try {
    createSecureContext(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key })
  } catch (error) {
    return E.left(unusable('cert or key', error))
  }
  return E.right(tls)
}
