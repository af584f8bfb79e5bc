// Authorities and certificates in a folder, by openssl: for servers and clients of tests, good for a day.

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificates = Readonly<{
  file: (name: string) => string
  /** NAME.pem and NAME.key of an authority. */
  authority: (name: string) => void
  /** NAME.pem and NAME.key, signed by an authority. `alt`: as openssl writes a subjectAltName. */
  sign: (name: string, authority: string, alt: string) => void
}>

export const certificatesIn = (dir: string): Certificates => {
  const file = (name: string): string => join(dir, name)
  const openssl = (...args: ReadonlyArray<string>): void =>
    void execFileSync('openssl', args, { stdio: 'pipe', cwd: dir })
  const request = (name: string): ReadonlyArray<string> => [
    ...['req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`],
  ]
  return {
    file,
    authority: (name) =>
      openssl(...request(name), '-x509', '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '1'),
    sign: (name, authority, alt) => {
      writeFileSync(file(`${name}.ext`), `subjectAltName=${alt}\nextendedKeyUsage=serverAuth,clientAuth\n`)
      openssl(...request(name), '-out', `${name}.csr`, '-subj', `/O=${name}`)
      const by = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial']
      openssl(
        'x509',
        '-req',
        '-in',
        `${name}.csr`,
        ...by,
        '-days',
        '1',
        '-extfile',
        `${name}.ext`,
        '-out',
        `${name}.pem`,
      )
    },
  }
}
