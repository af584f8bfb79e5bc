// All mutants, in the order in which they are tried. `npm run mutants` is scripts/mutants.mjs.

import cluster from './cluster.mjs'
import drivers from './drivers.mjs'
import engine from './engine.mjs'
import ipam from './ipam.mjs'
import kernel from './kernel.mjs'
import model from './model.mjs'
import plugin from './plugin.mjs'
import store from './store.mjs'
import wanted from './wanted.mjs'

export const MUTANTS = [...ipam, ...model, ...drivers, ...wanted, ...engine, ...kernel, ...plugin, ...store, ...cluster]
