// The words of Docker's options that the command line's library does not read by itself. Loaded at every start: keep it small.

/** Options that Docker has as Go's booleans: `--ipv4=false`. */
const BOOLEANS: ReadonlySet<string> = new Set([
  'attachable',
  'config-only',
  'dry-run',
  'force',
  'ingress',
  'internal',
  'ipv4',
  'ipv6',
  'no-trunc',
  'quiet',
])
/** On unless said otherwise. */
const ON: ReadonlySet<string> = new Set(['ipv4'])
const GROUPS: ReadonlySet<string> = new Set(['network', 'endpoint', 'sandbox'])

/** `--ipv4=false` as `--no-ipv4`, `--internal=true` as `--internal`, `--internal=false` as nothing; all else as it is. */
export const withoutGoBooleans = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (!GROUPS.has(args[0] ?? '')) return args
  const end = args.indexOf('--')
  return args.flatMap((arg, at) => {
    const [, name = '', value] = /^--([a-z0-9-]+)=(true|false|1|0)$/.exec(arg) ?? []
    if (!BOOLEANS.has(name) || (end >= 0 && at > end)) return [arg]
    if (value === 'true' || value === '1') return [`--${name}`]
    return ON.has(name) ? [`--no-${name}`] : []
  })
}
