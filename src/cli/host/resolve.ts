// Which object a word of the command line means: its whole id, its name, or the beginning of its id, in this order, as Docker
// has it. A word that means several is refused with the candidates.

import type { CnmError, Noun } from '../../model/error.ts'
import type { Endpoint, Model, Network, Sandbox } from '../../model/types.ts'
import { valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { Problem } from '../problem.ts'
import { listed } from '../render/table.ts'
import { refusalProblem, refused } from './refusal.ts'

/** What of an id is shown, as Docker shows it: digits. */
const SHORT = 12
export const shortId = (id: string): string => id.slice(0, SHORT)

type Candidate<A> = Readonly<{ id: string; names: ReadonlyArray<string>; shown: string; value: A }>

const MOST = 6
const HEX = /^[0-9a-f]+$/

const choose = <A>(noun: Noun, word: string, all: ReadonlyArray<Candidate<A>>): Either<Problem, A> => {
  const whole = all.filter(({ id }) => id === word)
  const named = whole.length > 0 ? whole : all.filter(({ names }) => names.includes(word))
  const found = named.length > 0 || !HEX.test(word) ? named : all.filter(({ id }) => id.startsWith(word))
  const [first, ...others] = found
  if (first === undefined) {
    const error: CnmError = { tag: 'NotFound', what: noun, id: word }
    return E.left(refusalProblem(error))
  }
  if (others.length === 0) return E.right(first.value)
  const candidates = listed(
    found.map(({ id, shown }) => `${shortId(id)} (${shown})`),
    MOST,
  )
  return E.left(refused('InvalidParameter', `"${word}" could be several ${noun}s: ${candidates}; say more of one's id`))
}

export const theNetwork = (model: Model, word: string): Either<Problem, Network> =>
  choose(
    'network',
    word,
    valuesOf(model.networks).map((value) => ({ id: value.id, names: [value.name], shown: value.name, value })),
  )

export const theSandbox = (model: Model, word: string): Either<Problem, Sandbox> =>
  choose(
    'sandbox',
    word,
    valuesOf(model.sandboxes).map((value) => ({
      id: value.id,
      names: [value.container],
      shown: value.container,
      value,
    })),
  )

export const networkNameOf = (model: Model, { network }: Endpoint): string =>
  valuesOf(model.networks).find(({ id }) => id === network)?.name ?? network

/** Names of endpoints are unique within their network; `NETWORK/NAME` tells them apart. */
export const theEndpoint = (model: Model, word: string): Either<Problem, Endpoint> =>
  choose(
    'endpoint',
    word,
    valuesOf(model.endpoints).map((value) => {
      const full = `${networkNameOf(model, value)}/${value.name}`
      return { id: value.id, names: [value.name, full], shown: full, value }
    }),
  )
