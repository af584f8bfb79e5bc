// Defects of the conversation with plugins: what is noted, what is believed of an answer, what is forgotten.

import { by } from './mutant.mjs'

const HOLDS = 'ends with plugins that hold exactly what the model says'

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'late-answer-believed',
    bug: 'an answer to an earlier call about an object is taken for one to the present call',
    rows: ['2c8670b496', 'm PR#50229'],
    property: 'P6',
    under: 'src/model/decide/plugin.ts',
    find: 'call === undefined || call.number !== number || call.state',
    replace: 'call === undefined || call.state',
    by: by('plugin', 'that is not the present one'),
  },
  {
    name: 'unanswered-taken-for-absent',
    bug: 'what a plugin did not acknowledge is never deleted, though it may be there',
    rows: ['for-linux#348', 'm#51578'],
    property: 'P6',
    under: 'src/model/decide/plugin.ts',
    find: 'return highest === undefined ? [] : giveUp(model, highest)',
    replace: "return highest === undefined ? [] : [...giveUp(model, highest), { tag: 'CallClosed', key: news.key }]",
    by: by('plugin', 'as if the command had never come'),
  },
  {
    name: 'failed-deletion-forgotten',
    bug: 'when a plugin does not delete, that is only a warning, and what it holds stays for ever',
    rows: ['c621624e2f', 'm#26284'],
    property: 'P8',
    under: 'src/model/decide/plugin.ts',
    find: 'if (callOf(model, news) === null) return []',
    replace:
      "const current = callOf(model, news)\n  if (current === null) return []\n  if (current.state === 'going') return [{ tag: 'CallClosed', key: news.key }]",
    by: by('plugin', 'however long they would not delete'),
  },
  {
    name: 'refusal-of-plugin-ignored',
    bug: 'a plugin that says no changes nothing: the object stays in the model',
    rows: ['m PR#47001'],
    property: 'P6',
    under: 'src/model/decide/plugin.ts',
    find: 'return highest === undefined ? [] : giveUp(model, highest)',
    replace: 'return highest !== undefined ? [] : giveUp(model, news.key)',
    by: by('plugin', 'as if the command had never come'),
  },
  {
    name: 'network-before-its-endpoints',
    bug: 'a plugin is told to delete a network whose endpoints it still has',
    rows: ['m PR#49932'],
    property: 'P7',
    under: 'src/model/plugin/requests.ts',
    find: 'stays || isNeeded(model.ledger, key) ? null',
    replace: 'stays ? null',
    by: by('plugin', 'however long they would not delete'),
  },
  {
    name: 'number-given-twice',
    bug: 'the count of calls goes back, so that two calls are one to whoever remembers the first',
    rows: ['m PR#48793'],
    property: 'P7',
    under: 'src/model/plugin/ledger.ts',
    find: 'last: Math.max(last, call.number)',
    replace: 'last: last < 0 ? last : call.number',
    by: by('plugin', HOLDS),
  },
  {
    name: 'owed-and-not-sent-again',
    bug: 'after a restart nobody calls the plugins for what was under way',
    rows: ['for-linux#348'],
    property: 'P7',
    under: 'src/engine/engine.ts',
    find: 'if (lost === null) followUp([])',
    replace: '',
    by: by('plugin', HOLDS),
  },
  {
    name: 'caller-of-plugin-forgotten',
    bug: 'whoever asked for what another gave up is never answered',
    rows: ['l#2632', 'f0c86fb56e'],
    property: 'P10',
    under: 'src/engine/plugin/callers.ts',
    find: 'for (const caller of at(key)) settle(caller, error)',
    replace: 'for (const caller of at(key)) forget(caller, key)',
    by: by('plugin', HOLDS),
  },
]
