// Reads the repository's own files for the tests that hold its style. Text is taken as TypeScript's parser sees it, so that
// a word in a comment or a string is not mistaken for code.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const SKIPPED = new Set(['node_modules', 'dist', 'coverage', '.git'])

/** Files under a folder of the repository, as paths from its root; none if there is no such folder. */
export const filesUnder = (folder: string, name: RegExp): ReadonlyArray<string> => {
  const found: string[] = []
  const walk = (path: string): void => {
    for (const entry of readdirSync(ROOT + path, { withFileTypes: true })) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`
      if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(inner)
      if (entry.isFile() && name.test(entry.name)) found.push(inner)
    }
  }
  if (existsSync(ROOT + folder)) walk(folder)
  return found.sort()
}

export const textOf = (path: string): string => readFileSync(ROOT + path, 'utf8')

/** One finding, as `path:line what`. */
export type Finding = string

const at = (source: ts.SourceFile, node: ts.Node, what: string): Finding =>
  `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1} ${what}`

/** Every node of the file for which `judge` has words. */
export const findings = (
  path: string,
  judge: (node: ts.Node, source: ts.SourceFile) => string | undefined,
  text: string = textOf(path),
): ReadonlyArray<Finding> => {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const found: Finding[] = []
  const visit = (node: ts.Node): void => {
    const what = judge(node, source)
    if (what !== undefined) found.push(at(source, node, what))
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
