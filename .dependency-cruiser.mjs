// The import table of docs/architecture.md as an allow-list: a folder or package without a line here is forbidden.

const PURE = {
  net: [],
  kernel: ['net'],
  ipam: ['net'],
  history: ['net'],
  model: ['net', 'ipam'],
  drivers: ['net', 'model', 'kernel'],
  'kernel-sim': ['net', 'kernel'],
  shell: ['net', 'kernel'],
}
const EFFECTFUL = {
  'kernel-linux': ['net', 'kernel'],
  store: ['net', 'model'],
  cluster: ['net', 'ipam', 'model', 'store'],
  engine: ['net', 'kernel', 'ipam', 'model', 'drivers', 'kernel-sim', 'kernel-linux', 'store', 'cluster'],
  'cluster-sim': ['net', 'kernel', 'history', 'model', 'drivers', 'store', 'cluster', 'engine'],
  proxy: ['net'],
  compose: ['net', 'model'],
  lab: ['net', 'kernel', 'model', 'engine', 'kernel-sim'],
  cli: [
    'net',
    'ipam',
    'lab',
    'kernel',
    'model',
    'drivers',
    'kernel-sim',
    'kernel-linux',
    'engine',
    'store',
    'cluster',
    'compose',
    'shell',
    'proxy',
  ],
}
const PACKAGES = {
  net: ['ipaddr[.]js'],
  'kernel-linux': ['execa', 'koffi'],
  store: ['lmdb', 'koffi', 'protobufjs'],
  compose: ['yaml', 'ajv'],
  cli: ['commander', 'picocolors'],
}

const folders = Object.entries({ ...PURE, ...EFFECTFUL }).map(([from, to]) => ({
  from: { path: `^src/${from}/` },
  to: {
    path: [
      `^src/(${[from, ...to].join('|')})/`,
      '^src/prelude[.]ts$',
      ...(PACKAGES[from] ?? []).map((name) => `node_modules/${name}/`),
    ],
  },
}))

const TESTS = '[.]test[.]ts$'

export default {
  allowed: [
    ...folders,
    { from: { path: '^src/prelude[.]ts$' }, to: { path: 'node_modules/fp-ts/' } },
    { from: { path: `^src/(${Object.keys(EFFECTFUL).join('|')})/` }, to: { dependencyTypes: ['core'] } },
    // A driver of one's own may use what ours may.
    {
      from: { path: '^examples/', pathNot: TESTS },
      to: { path: [`^src/(${['drivers', ...PURE.drivers].join('|')})/`, '^src/prelude[.]ts$'] },
    },
    { from: { path: ['^(properties|test|bench|scripts)/', TESTS] }, to: {} },
  ],
  allowedSeverity: 'error',
  forbidden: [
    {
      name: 'no-circular',
      comment: 'Two files that need each other are one file, or there is a third one between them.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
