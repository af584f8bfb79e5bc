// What the process of a host is told and says, as lines of JSON. Objects have numbers (test/lib/model.ts makes ids of them), which are
// given once in a run; addresses are texts.

export type StoreKind = 'etcd' | 'zookeeper'

/** How a process begins, as its first argument. `lab` null: on the simulated kernel. `role` `watch`: it only looks at the store. */
export type Setting = Readonly<{
  role: 'host' | 'watch'
  store: StoreKind
  /** HOST:PORT,... */
  servers: string
  prefix: string
  host: string
  lab: string | null
  ttlMs: number
}>

/** `scope`: `global`, or the host that has it for itself. */
export type Act = Readonly<
  | { do: 'network'; net: number; name: string; scope: string }
  | { do: 'no network'; net: number }
  | { do: 'endpoint'; end: number; net: number; name: string; ip: string | null }
  | { do: 'no endpoint'; end: number }
  | { do: 'sandbox'; box: number; name: string }
  | { do: 'no sandbox'; box: number }
  | { do: 'join'; end: number; box: number }
  | { do: 'leave'; end: number; box: number }
>

/**
 * `look`: what the engine knows, and whether its kernel holds that. `clean`: it deletes what is its own, or what is `shared`, and looks.
 * `list`, of a watcher: what is in the store.
 */
export type Question = Readonly<
  { ask: 'act'; act: Act } | { ask: 'look' } | { ask: 'clean'; shared: boolean } | { ask: 'list' }
>
export type Ask = Question & Readonly<{ id: number }>

/** Of an act: `refused` is the tag of a refusal, with its sentence. */
export type Acted = Readonly<
  { subnet: string | null; ip: string | null } | { refused: string; what: string | null; why: string }
>
/** Of a host: what it knows of what is shared, by the key that the store has it under, and sentences about what is wrong. */
export type Looked = Readonly<{ shared: Readonly<Record<string, string>>; wrong: ReadonlyArray<string> }>
/** Of a watcher: all that is in the store, and what is wrong with it in itself. Null: it could not be read. */
export type Listed = Readonly<{
  shared: Readonly<Record<string, string>>
  present: ReadonlyArray<string>
  wrong: ReadonlyArray<string>
}> | null

export type Said = Readonly<
  | { tag: 'open' }
  | { tag: 'shut'; why: string }
  /** What its kernel would not do, and what else was asked for with it. */
  | { tag: 'refused'; what: string; of: ReadonlyArray<string> }
  /** What somebody wrote to the store, without the values that nobody needs. */
  | { tag: 'wrote'; revision: number; writes: ReadonlyArray<Readonly<{ key: string; value: string | null }>> }
  /** An address of an endpoint that was seen in the store. */
  | { tag: 'seen'; endpoint: string; ip: string | null }
  | { tag: 'answer'; id: number; answer: Acted | Looked | Listed }
>
