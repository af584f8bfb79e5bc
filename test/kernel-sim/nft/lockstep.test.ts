// nft of the simulated kernel and the real one say, and list, the same.
// `destroy` is not here: nft 1.0.6 does not know it yet. Nor are conntrack and reject in the bridge and netdev families, which
// not every kernel was built with; nor `nft -j` of a dormant table, in which 1.0.6 dies.

import { test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { histories } from '../../../properties/arbitraries/nft.ts'
import { needs } from '../../lib/need.ts'
import { runs } from '../../lib/runs.ts'
import { FILES } from './files.ts'
import { makeLab, really, removeLab, simulated } from './lab.ts'
import { ONE_LINERS, SETTING, WRONG_LINES } from './one-liners.ts'

needs.kernel('nft beside the real one', () => {
  beforeAll(makeLab)
  afterAll(removeLab)

  describe('a command on top of a common ruleset has the same answer and the same listing', () => {
    it.each(ONE_LINERS)('%s', (line) => {
      const scripts = [SETTING, line]
      expect(simulated(scripts)).toEqual(really(scripts))
    })
  })

  describe('a wrong command is refused for the same kind of reason', () => {
    it.each(WRONG_LINES)('%s', (line) => {
      const scripts = [SETTING, line]
      const real = really(scripts)
      expect(real.answers[1]).not.toBe('done')
      expect(simulated(scripts)).toEqual(real)
    })
  })

  describe('a file is read and listed alike, and what is listed is read alike', () => {
    it.each(FILES)('$name', ({ text }) => {
      const once = simulated([text])
      expect(once).toEqual(really([text]))
      expect(once.answers).toEqual(['done'])
      expect(simulated([once.text]).objects).toEqual(once.objects)
    })
  })

  describe('generated scripts, valid and not, one after the other', () => {
    test.prop([histories], runs(0.5))('are accepted or refused alike, and lead to the same ruleset', (scripts) => {
      const real = really(scripts)
      const ours = simulated(scripts)
      expect({ answers: ours.answers, objects: ours.objects }).toEqual({ answers: real.answers, objects: real.objects })
    })
  })
})
