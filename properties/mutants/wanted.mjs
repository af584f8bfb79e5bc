// Defects of what is wanted: fragments that are not rendered again, shared objects that go with the wrong owner.

import { by } from './mutant.mjs'

const INCREMENTAL = by('engine', 'renders step by step')

/** @type {ReadonlyArray<import('./mutant.mjs').Mutant>} */
export default [
  {
    name: 'shared-object-dropped',
    bug: 'what several owners share goes with the first of them',
    rows: ['l#570', '566a2e4c79'],
    property: 'P3',
    under: 'src/engine/wanted.ts',
    find: 'if (others === undefined) state.remove(key)\n    else shared =',
    replace: 'state.remove(key)\n    if (others !== undefined) shared =',
    by: INCREMENTAL,
  },
  {
    name: 'rule-without-owner',
    bug: 'what an owner wants no more stays wanted',
    rows: ['m#15151', 'm#32048', 'm#18575', 'm#10354'],
    property: 'P3',
    under: 'src/engine/wanted.ts',
    find: 'gone.push(...turned.gone)',
    replace: '',
    by: INCREMENTAL,
  },
  {
    name: 'stale-when-the-gateway-moves',
    bug: 'endpoints beside the one that joins are not rendered again, so published ports stay with the former way out',
    rows: ['m#40740', 'l#401'],
    property: 'P13',
    under: 'src/drivers/render.ts',
    find: 'for (const endpoint of endpointIdsIn(after, id)) endpoints.add(endpoint)',
    replace: '',
    by: INCREMENTAL,
  },
  {
    name: 'stale-when-an-endpoint-leaves',
    bug: 'the sandbox that an endpoint leaves is not rendered again, so its default route stays',
    rows: ['m PR#51534', 'm#51578'],
    property: 'P13',
    under: 'src/drivers/render.ts',
    find: 'touchEndpoint(change.before)',
    replace: '',
    by: INCREMENTAL,
  },
]
