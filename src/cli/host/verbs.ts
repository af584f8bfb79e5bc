// The verbs of a real host: their options and help; the code of each is loaded when it is called.

import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import type { TransportName } from '../../kernel-linux/ready.ts'
import type { Io } from '../io.ts'
import { collect, transportOption } from '../option.ts'
import type { Verb } from '../problem.ts'
import type { KernelName } from '../survey.ts'
import { HOST_HELP } from './help.ts'
import type { ListOptions } from './list.ts'
import type { Place } from './place.ts'

type Start = (verb: Verb) => Promise<void>
/** Where all is kept: settled by `settlePlace` before a verb is called. */
type Placed = Readonly<{ store: Place }>
type Machine = Placed & Readonly<{ kernel: KernelName; transport?: TransportName }>
type Change = Machine & Readonly<{ dryRun: boolean }>
type Force = Change & Readonly<{ force: boolean }>

const DEFAULT_STATE = '/var/lib/cnm'

const directory = (word: string): string => {
  if (word === '') throw new InvalidArgumentError('It is the name of a directory.')
  return word
}
const withStore = (command: Command): Command =>
  command
    .addOption(
      new Option('--state <dir>', 'the state directory').env('CNM_STATE').default(DEFAULT_STATE).argParser(directory),
    )
    .addOption(
      new Option(
        '--store <url>',
        'where what --state holds is instead: etcd://, zk:// or consul://HOST:PORT,.../PREFIX, or lmdb:DIR',
      ).env('CNM_STORE'),
    )
const hostOption = (): Option =>
  new Option('--host <name>', 'what this machine is called among the hosts that share the prefix of --store')
const withPlace = (command: Command): Command => withStore(command).addOption(hostOption().env('CNM_HOST'))
/** For verbs that are about a whole store, and say so. */
const withWholeStore = (command: Command): Command => withStore(command).addOption(hostOption().hideHelp())
const kernelOption = (): Option =>
  new Option('--kernel <kernel>', 'the kernel of this machine (as root), or a simulated one')
    .choices(['linux', 'sim'])
    .default('linux')
const formatOption = (): Option =>
  new Option('--format <format>', 'for people, or for programs').choices(['table', 'json']).default('table')

const withMachine = (command: Command): Command =>
  withPlace(command).addOption(kernelOption()).addOption(transportOption())

const withChange = (command: Command): Command =>
  withMachine(command).option('--dry-run', 'print the commands it would run on this machine, and change nothing', false)
const withForce = (command: Command, what: string): Command => withChange(command).option('-f, --force', what, false)

/** Looking needs no kernel; the options are there so that one command line can be made into another. */
const withList = (command: Command, filters: string): Command =>
  withMachine(command)
    .option('-f, --filter <key=value>', `only those with: ${filters}; may be repeated`, collect)
    .addOption(formatOption())
    .option('-q, --quiet', 'print ids only', false)
    .option('--no-trunc', 'print whole ids')

const withInspect = (command: Command): Command =>
  withMachine(command).addOption(
    new Option('--format <format>', 'an array of objects').choices(['json']).default('json'),
  )

const withAddresses = (command: Command): Command =>
  command
    .option('--ip <ip>', 'its IPv4 address, instead of a free one')
    .option('--ip6 <ip>', 'its IPv6 address')
    .option('--alias <name>', 'another name for it on this network; may be repeated', collect)
    .option('--link-local-ip <ip>', 'an address of 169.254.0.0/16 or fe80::/10; may be repeated', collect)
    .option('--mac-address <mac>', 'its MAC address')

/** What `ls`, `inspect` and `rm` of a noun say in their help. `force`: what it does besides. */
type Noun = Readonly<{ word: string; things: string; filters: string; removal: string; force: string }>
type Answer = ReturnType<Verb>
type Basics = Readonly<{
  ls: (io: Io, options: ListOptions) => Answer
  inspect: (io: Io, store: Place, words: ReadonlyArray<string>) => Answer
  rm: (io: Io, words: ReadonlyArray<string>, options: Force) => Answer
}>

/** Verbs that every noun has. */
const addBasics = (command: Command, io: Io, start: Start, noun: Noun, load: () => Promise<Basics>): void => {
  const { word, things, filters, removal, force } = noun
  withList(command.command('ls').alias('list').description(`List ${things}.`), filters).action((flags) =>
    start(async () => (await load()).ls(io, flags)),
  )
  withInspect(command.command(`inspect <${word}...>`).description(`Print everything about ${things}, as JSON.`)).action(
    (names: string[], { store }: Placed) => start(async () => (await load()).inspect(io, store, names)),
  )
  withForce(command.command(`rm <${word}...>`).alias('remove').description(removal), force).action(
    (names: string[], flags: Force) => start(async () => (await load()).rm(io, names, flags)),
  )
}

const group = (program: Command, name: keyof typeof HOST_HELP, summary: string): Command =>
  program
    .command(name)
    .summary(summary)
    .description(HOST_HELP[name].about)
    .addHelpText('after', HOST_HELP[name].examples)

const addNetwork = (program: Command, io: Io, start: Start): void => {
  const load = () => import('../commands/network.ts')
  const network = group(program, 'network', 'make, list and remove networks of this host, and connect sandboxes')
  withChange(network.command('create <NETWORK>').description('Make a network, and print its id.'))
    .option(
      '-d, --driver <driver>',
      'its driver: bridge, macvlan or ipvlan; what each is and its options are in docs/drivers',
      'bridge',
    )
    .option('--subnet <subnet>', 'a subnet, instead of a free one; one of each family', collect)
    .option('--gateway <ip>', "the subnet's gateway, instead of its first free address", collect)
    .option('--ip-range <range>', 'the part of the subnet that addresses are given from', collect)
    .option('--aux-address <name=ip>', 'an address that is kept for somebody else', collect)
    .option('--ipv4', 'with IPv4 (--ipv4=false: without)', true)
    .option('--no-ipv4', 'without IPv4')
    .option('--ipv6', 'with IPv6', false)
    .option('--internal', 'nothing enters or leaves', false)
    .option('--attachable', 'anybody may connect to it', false)
    .option('--ingress', "carries the traffic of a cluster's published ports", false)
    .addOption(
      new Option('--scope <scope>', 'where it exists: global is on all hosts that share the store (--host)').choices([
        'local',
        'global',
        'swarm',
      ]),
    )
    .option('--config-only', 'only lends its options, pools and labels to others', false)
    .option('--config-from <network>', 'take options, pools and labels from this network')
    .option('--label <key=value>', 'a label; may be repeated', collect)
    .option('-o, --opt <key=value>', 'an option of the driver; may be repeated', collect)
    .action((name: string, flags) => start(async () => (await load()).create(io, name, flags)))
  const noun: Noun = {
    word: 'NETWORK',
    things: 'networks',
    filters: 'name=, id=, driver=, label=, scope=, type=, dangling=',
    removal: 'Remove networks, and print which.',
    force: 'no error for one that is not there',
  }
  addBasics(network, io, start, noun, load)
  withForce(
    network.command('prune').description('Remove all networks that nobody is on, and print which.'),
    'do not ask',
  )
    .option('--filter <key=value>', 'only those with: label=; may be repeated', collect)
    .action((flags) => start(async () => (await load()).prune(io, flags)))
  withAddresses(
    withChange(network.command('connect <NETWORK> <SANDBOX>').description('Connect a sandbox to a network.')),
  )
    .option('--gw-priority <number>', 'the highest of a sandbox is its way out; 0 unless said otherwise')
    .option(
      '--driver-opt <key=value>',
      'com.docker.network.endpoint.ifname=NAME names the interface inside; com.docker.network.endpoint.sysctls=net.ipv4.conf.IFNAME.KEY=VALUE sets sysctls of it, with commas between',
      collect,
    )
    .option(
      '--link <endpoint[:alias]>',
      'reach the exposed ports of an endpoint of the network although the network keeps its sandboxes apart, and call it so; may be repeated',
      collect,
    )
    .option(
      '--route <destination[=ip]>',
      'a static route, by an address on the network or straight by its interface; may be repeated',
      collect,
    )
    .action((name: string, sandbox: string, flags) =>
      start(async () => (await load()).connect(io, name, sandbox, flags)),
    )
  withForce(
    network.command('disconnect <NETWORK> <SANDBOX>').description('Disconnect a sandbox from a network.'),
    'also an endpoint of that name whose sandbox is gone',
  ).action((name: string, sandbox: string, flags: Force) =>
    start(async () => (await load()).disconnect(io, name, sandbox, flags)),
  )
}

const addEndpoint = (program: Command, io: Io, start: Start): void => {
  const load = () => import('../commands/endpoint.ts')
  const endpoint = group(program, 'endpoint', 'make, list and remove endpoints of networks')
  withAddresses(
    withChange(endpoint.command('create <NETWORK> <NAME>').description('Make an endpoint, and print its id.')),
  ).action((network: string, name: string, flags) => start(async () => (await load()).create(io, network, name, flags)))
  const noun: Noun = {
    word: 'ENDPOINT',
    things: 'endpoints',
    filters: 'name=, id=, network=, sandbox=, host=',
    removal: 'Remove endpoints, and print which.',
    force: 'also one that a sandbox has joined; no error for one that is not there',
  }
  addBasics(endpoint, io, start, noun, load)
  withChange(endpoint.command('rename <ENDPOINT> <NAME>').description('Give an endpoint another name.'))
    .option('--alias <name>', 'its other names, instead of those it has; may be repeated', collect)
    .action((word: string, name: string, flags) => start(async () => (await load()).rename(io, word, name, flags)))
}

const withSandboxOptions = (command: Command): Command =>
  command
    .option('--hostname <name>', "the container's own name for itself, instead of the sandbox's")
    .option('--domainname <name>', 'its domain')
    .option('-p, --publish <port>', '[[IP:]HOST:]CONTAINER[/PROTOCOL], ranges too; may be repeated', collect)
    .option('--expose <port>', 'CONTAINER[/PROTOCOL], ranges too; may be repeated', collect)
    .option('--dns <ip>', 'a name server that it asks; may be repeated', collect)
    .option('--dns-search <domain>', 'a domain to look for names in; may be repeated', collect)
    .option('--dns-option <option>', 'an option of resolv.conf(5); may be repeated', collect)
    .option('--add-host <name:ip>', 'a host that it knows by name; may be repeated', collect)
    .option('--label <key=value>', 'a label; may be repeated', collect)
    .option(
      '--sysctl <name=value>',
      'a sysctl of its namespace, such as net.core.somaxconn=1024; may be repeated',
      collect,
    )

const addSandbox = (program: Command, io: Io, start: Start): void => {
  const load = () => import('../commands/sandbox.ts')
  const sandbox = group(program, 'sandbox', 'make, list and remove the network namespaces of containers')
  withSandboxOptions(withChange(sandbox.command('create <NAME>').description('Make a sandbox, and print its id.')))
    .option('--netns <name>', 'the namespace below /run/netns, instead of cnm-NAME; "host" is the host\'s own')
    .option('--external', 'somebody else makes the namespace, and set-key tells where it is', false)
    .action((name: string, flags) => start(async () => (await load()).create(io, name, flags)))
  const noun: Noun = {
    word: 'SANDBOX',
    things: 'sandboxes',
    filters: 'name=, id=, label=, network=',
    removal: 'Remove sandboxes with their endpoints, and print which.',
    force: 'no error for one that is not there',
  }
  addBasics(sandbox, io, start, noun, load)
  withMachine(
    sandbox.command('stats [SANDBOX...]').description('Print what passed the interfaces of sandboxes, or of all.'),
  )
    .addOption(formatOption())
    .action((words: string[], flags) =>
      start(async () => (await import('../commands/stats.ts')).stats(io, words, flags)),
    )
  withChange(
    sandbox.command('rename <SANDBOX> <NAME>').description('Give a sandbox, and all of its endpoints, another name.'),
  ).action((word: string, name: string, flags: Change) =>
    start(async () => (await load()).rename(io, word, name, flags)),
  )
  withSandboxOptions(
    withChange(
      sandbox
        .command('refresh <SANDBOX>')
        .description('Give a sandbox all of its options anew: what is not said is gone. Its endpoints stay.'),
    ),
  ).action((word: string, flags) => start(async () => (await load()).refresh(io, word, flags)))
  withChange(
    sandbox
      .command('set-key <SANDBOX> <PATH|PID>')
      .description('Tell where the namespace is that somebody else made: its file, or the pid of a process in it.'),
  ).action((word: string, place: string, flags: Change) =>
    start(async () => (await load()).setKey(io, word, place, flags)),
  )
}

const addStore = (program: Command, io: Io, start: Start): void => {
  const load = () => import('../commands/store.ts')
  const verbs = group(program, 'store', 'keep, carry over and check what a store holds')
  withWholeStore(
    verbs.command('export [FILE]').description('Write everything as text to FILE, or to the standard output.'),
  ).action((file: string | undefined, { store }: Placed) =>
    start(async () => (await load()).storeExport(io, store, file ?? '-')),
  )
  withWholeStore(
    verbs
      .command('import [FILE]')
      .description('Bring an export, from FILE or the standard input, into an empty store.'),
  ).action((file: string | undefined, { store }: Placed) =>
    start(async () => (await load()).storeImport(io, store, file ?? '-')),
  )
  withWholeStore(
    verbs.command('check').description('Look at every page and every record of the file, without changing any.'),
  )
    .option('--json', 'for programs: file, schema, revision, entries, problems', false)
    .action(({ store, json }: Placed & { json: boolean }) =>
      start(async () => (await load()).storeCheck(io, store, json)),
    )
}

const addHost = (program: Command, io: Io, start: Start): void => {
  const load = () => import('../commands/host.ts')
  const host = group(program, 'host', 'the hosts that share a store: who is there, and forgetting one')
  withPlace(host.command('ls').alias('list').description('List them.'))
    .option('--json', 'for programs', false)
    .action(({ store, json }: Placed & { json: boolean }) => start(async () => (await load()).ls(io, store, json)))
  withPlace(
    host
      .command('forget <NAME>')
      .description('Take from a host that is gone what it had of what hosts share, and forget it.'),
  )
    .option('-y, --yes', 'do not ask', false)
    .action((name: string, flags: Placed & { yes: boolean }) =>
      start(async () => (await load()).forget(io, name, flags)),
    )
}

const addJournal = (program: Command, io: Io, start: Start): void => {
  const journal = group(program, 'journal', 'write down what was done on this host, for replay')
  withPlace(journal.command('export').description('Print the journal of this host.')).action(({ store }: Placed) =>
    start(async () => (await import('../commands/journal.ts')).journalExport(io, store)),
  )
  group(program, 'replay', 'do what a journal says again, on a simulated machine')
    .argument('[FILE]', 'a journal; without it, or as "-", the standard input')
    .option('--step', 'tell each turn, and the commands behind it', false)
    .option('--json', 'for programs: turns, commands, identical, differs', false)
    .action((file: string | undefined, { step, json }: { step: boolean; json: boolean }) =>
      start(async () => (await import('../commands/replay.ts')).replay(io, { file: file ?? '-', step, json })),
    )
}

const SECONDS = /^[1-9][0-9]{0,4}$/
const seconds = (word: string): number => {
  if (!SECONDS.test(word)) throw new InvalidArgumentError('It is a whole number of seconds, from 1 to 99999.')
  return Number(word)
}

const addDoctor = (program: Command, io: Io, start: Start): void => {
  withMachine(group(program, 'doctor', 'compare this machine with what it should be, and repair it'))
    .option('--repair', 'put right what differs', false)
    .addOption(new Option('--watch', 'stay, and put right what differs as soon as it does').conflicts('repair'))
    .option('--every <seconds>', 'with --watch: look by itself after so long', seconds, 30)
    .addOption(new Option('--machine', 'show what this machine can do').conflicts(['repair', 'watch']))
    .option('--json', 'for programs: every difference, or what the machine can do', false)
    .action((flags: Machine & { repair: boolean; watch?: true; every: number; machine?: true; json: boolean }) =>
      start(async () => {
        if (flags.machine === true) return (await import('../commands/machine.ts')).machine(io, flags)
        if (flags.watch === true) return (await import('../commands/watch.ts')).watch(io, flags)
        return (await import('../commands/doctor.ts')).doctor(io, flags)
      }),
    )
}

export const addHostVerbs = (program: Command, io: Io, start: Start): void => {
  addNetwork(program, io, start)
  addEndpoint(program, io, start)
  addSandbox(program, io, start)
  program.hook('preAction', async (_, command) => (await import('./place.ts')).settlePlace(command))
  withPlace(group(program, 'events', 'what happened on this host'))
    .option('--since <turn>', 'only what came after this turn')
    .option('-f, --follow', 'go on telling what happens, until it is stopped', false)
    .addOption(formatOption())
    .option('--no-trunc', 'print whole ids')
    .action((flags) => start(async () => (await import('../commands/events.ts')).events(io, flags)))
  addDoctor(program, io, start)
  withPlace(group(program, 'proxy', 'relay published ports where the kernel has no way')).action((flags: Placed) =>
    start(async () => (await import('../commands/proxy.ts')).proxy(io, flags)),
  )
  addHost(program, io, start)
  addStore(program, io, start)
  addJournal(program, io, start)
  group(program, 'completion', 'print a script that completes cnm in bash or zsh')
    .addArgument(new Argument('<SHELL>', 'the shell').choices(['bash', 'zsh']))
    .action((shell: 'bash' | 'zsh') =>
      start(async () => (await import('../commands/completion.ts')).completion(io, program, shell)),
    )
}
