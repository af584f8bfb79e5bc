// The only file of this folder that touches the disk: reads Compose files and the `.env` beside them, never more than a
// Compose file may have, and hands their text to `readProject`. What the system refuses becomes an error like any other.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { E, type Either, type TaskEither } from '../prelude.ts'
import { startOf } from './at.ts'
import { type Errors, type ReadOptions, readProject } from './compose.ts'
import type { ComposeError } from './error.ts'
import type { Project } from './project.ts'
import { LARGEST, type SourceFile } from './read/read.ts'

/**
 * As `ReadOptions`; `directory` is that of the first file unless given, and `.env` is looked for there unless `envFile`
 * says which file it is, which then must exist.
 */
export type LoadOptions = Omit<ReadOptions, 'directory' | 'dotenv'> & Readonly<{ directory?: string; envFile?: string }>

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'EIO'

const decode = (path: string, bytes: Uint8Array): Either<ComposeError, SourceFile> => {
  try {
    return E.right({ path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) })
  } catch {
    return E.left({ tag: 'NotText', reason: 'it is not UTF-8', at: startOf(path) })
  }
}

/** `-` is the standard input. A pipe has no size, so reading stops as soon as there is too much. */
const readText = async (path: string): Promise<Either<ComposeError, SourceFile>> => {
  const at = startOf(path)
  try {
    if (path !== '-') {
      const { size } = await stat(path)
      if (size > LARGEST) return E.left({ tag: 'TooBig', bytes: size, limit: LARGEST, at })
    }
    const chunks: Uint8Array[] = []
    let bytes = 0
    const source: AsyncIterable<Buffer> = path === '-' ? process.stdin : createReadStream(path)
    for await (const chunk of source) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > LARGEST) return E.left({ tag: 'TooBig', bytes, limit: LARGEST, at })
    }
    return decode(path, Buffer.concat(chunks))
  } catch (cause) {
    return E.left({ tag: 'CannotRead', code: codeOf(cause), at })
  }
}

const isMissing = (error: ComposeError): boolean => error.tag === 'CannotRead' && error.code === 'ENOENT'

/** Reads the files at these paths. Left: as `readProject`, and what cannot be read. */
export const loadProject =
  (paths: ReadonlyArray<string>, options: LoadOptions): TaskEither<Errors, Project> =>
  async () => {
    const [main] = paths
    const directory = resolve(options.directory ?? (main === undefined || main === '-' ? '.' : dirname(main)))
    const dotenvPath = options.envFile ?? join(directory, '.env')
    const [dotenv, ...files] = await Promise.all([dotenvPath, ...paths].map(readText))
    const errors = files.flatMap((file) => (E.isLeft(file) ? [file.left] : []))
    const mayBeMissing = options.envFile === undefined
    if (dotenv !== undefined && E.isLeft(dotenv) && !(mayBeMissing && isMissing(dotenv.left))) errors.push(dotenv.left)
    const [first, ...rest] = errors
    if (first !== undefined) return E.left([first, ...rest])
    return readProject(
      files.flatMap((file) => (E.isRight(file) ? [file.right] : [])),
      {
        ...options,
        directory: basename(directory),
        ...(dotenv !== undefined && E.isRight(dotenv) ? { dotenv: dotenv.right } : {}),
      },
    )
  }
