// The names of the labs that `cnm run` makes: the project's, and letters that make it another one each time. By their form
// alone `cnm down` knows them from other namespaces that begin with `cnm-`, such as those of `cnm plan`.

import { randomInt } from 'node:crypto'
import { type Lab, parseLab } from '../kernel-linux/names.ts'
import { E } from '../prelude.ts'

/** Consonants: no word, and no number, is made of them by chance. */
const LETTERS = 'bcdfghjkmnpqrstvwxz'
const SUFFIX = 5
const LONGEST_PROJECT = 64 - 1 - SUFFIX
const FORM = new RegExp(`.-[${LETTERS}]{${SUFFIX}}$`)

export const runLab = (project: string): Lab => {
  const suffix = Array.from({ length: SUFFIX }, () => LETTERS[randomInt(LETTERS.length)]).join('')
  const lab = parseLab(`${project.slice(0, LONGEST_PROJECT)}-${suffix}`)
  if (E.isLeft(lab)) throw new Error(lab.left)
  return lab.right
}

export const isRunLab = (lab: Lab): boolean => FORM.test(lab)
