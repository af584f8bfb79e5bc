// What `--help` teaches: for each verb what it is for, and examples to copy.

export type Help = Readonly<{ about: string; examples: string }>

const EXIT_STATUS = `
Exit status: 0 all well; 1 an expectation is not met; 2 the file or the command line is
wrong; 3 this machine or its kernel cannot do it.`

type Verb = 'cnm' | 'run' | 'down' | 'trace' | 'check' | 'plan' | 'shell' | 'ipam' | 'ipam replay' | 'ipam show'

export const HELP: Readonly<Record<Verb, Help>> = {
  cnm: {
    about: `See what the networks of a Compose file will do: who reaches whom, which ports are open, and why a packet dies. On a simulated Linux kernel, anywhere; on the real one as root, in namespaces of their own. And keep the networks of this machine itself, with the options of "docker network".`,
    examples: `
Begin with:
  cnm run examples/two-tier/compose.yaml               networks, containers, who reaches whom
  cnm trace examples/two-tier/compose.yaml web db      why does web not reach db?
  cnm check examples/two-tier/compose.yaml             does it do what its author expects?
  cnm plan examples/two-tier/compose.yaml              the ip, bridge and nft commands behind it
  sudo cnm network create front                        networks of this machine, for good
  sudo cnm doctor                                      is it as it should be?
${EXIT_STATUS}`,
  },
  run: {
    about: `Builds the networks and containers of a Compose file on a simulated kernel, prints them, and then who reaches whom, tried with real packets. With --kernel linux the same is built on this machine, in network namespaces of their own, and taken down again at the end. That takes root; with --rootless it does not: all of it is made in a user namespace, which nobody else sees and which goes with the command. Without FILE it takes the compose.yaml of this folder.

"internet" is a machine beyond the host that knows no way to any container: what leaves must carry an address of the host, what enters must come through a published port.`,
    examples: `
Examples:
  cnm run compose.yaml
  cnm run compose.yaml compose.override.yaml           later files override earlier ones
  cnm run --profile debug compose.yaml
  cnm run --json compose.yaml | jq '.reachability[] | select(.reaches | not)'
  sudo cnm run --kernel linux compose.yaml             the same answers, from the real kernel
  sudo cnm run --kernel linux --keep compose.yaml      and leave it there, to look around
  cnm run --rootless compose.yaml                      from the real kernel, without root
${EXIT_STATUS}`,
  },
  down: {
    about: `Removes labs: what "cnm run --kernel linux --keep" left on this machine, and what is left of runs that were killed. Those that are named, or all; without --all none that a running cnm uses. A lab is only namespaces, so nothing else is touched. To remove what is gone already is no error.`,
    examples: `
Examples:
  sudo cnm down                                        all kept labs
  sudo cnm down two-tier-kdfmz                          this one
${EXIT_STATUS}`,
  },
  trace: {
    about: `Sends one packet through the simulated kernel and tells its journey there and back, hop by hop. A packet that dies ends with the reason and the rule, and with what one could do about it.

FROM is a service, a container, "host", "internet", or an address of one of them. TO may have a port: without one it is a ping. From host and internet the port is the published one.`,
    examples: `
Examples:
  cnm trace compose.yaml web api:8080                  TCP, as if something listened there
  cnm trace compose.yaml web dns:53/udp
  cnm trace compose.yaml host web:8080                 through a published port
  cnm trace compose.yaml db internet
  cnm trace compose.yaml web 172.18.0.1                an address
${EXIT_STATUS}`,
  },
  check: {
    about: `Tries what the file itself expects, and shows the journey of each packet that does not do it. Without a port it is a ping. A service with replicas stands for all of them. From host and internet the port is the published one.`,
    examples: `
Expectations are sentences in the Compose file:
  x-cnm:
    expect:
      - web reaches api on tcp/8080
      - web does not reach db
      - host reaches web on tcp/8080
      - db does not reach internet

Examples:
  cnm check compose.yaml
  cnm check --junit results.xml compose.yaml           for GitLab, Jenkins and others
  sudo cnm check --kernel linux compose.yaml           asked of the real kernel
  cnm check --rootless compose.yaml                    the same without root
${EXIT_STATUS}`,
  },
  plan: {
    about: `Prints a shell script: the ip, bridge, sysctl and nft commands that build the networks and containers of a Compose file, grouped and explained. It really runs, as root, in the namespace that shall play the host.`,
    examples: `
Examples:
  cnm plan compose.yaml | less
  ip netns add lab                                     a clean namespace, and the network in it
  cnm plan compose.yaml | nsenter --net=/run/netns/lab sh -e
  cnm plan --undo compose.yaml | nsenter --net=/run/netns/lab sh
${EXIT_STATUS}`,
  },
  shell: {
    about: `A terminal to a kernel, the simulated one or with --kernel linux fresh namespaces of this machine: ip, bridge, sysctl, nft, ping, traceroute, nc, tcpdump, and several hosts (docs/shell.md). FILE is a script.`,
    examples: `
Examples:
  cnm shell -e examples/shell/bridge.sh
  cnm shell examples/shell/overlay.sh
  cnm shell -c 'ip link add br0 type bridge; ip -j link'

Exit status: that of the last command.`,
  },
  ipam: {
    about: `Asks the address manager of this engine what the one of Docker is asked: requests of the IpamDriver plugin protocol, one in a line, as JSON. So the log of a real allocator can be checked against this one, and what it leaves in use be seen.`,
    examples: `
Examples:
  cnm ipam replay examples/ipam/bridge.jsonl           an answer for each request
  cnm ipam show examples/ipam/bridge.jsonl             the pools in use afterwards
${EXIT_STATUS}`,
  },
  'ipam replay': {
    about: `Reads one request in each line of FILE (without it, or as "-", of the standard input) and prints one answer for each: the fields of the IpamDriver protocol, or {"Error": ..., "Class": ..., "Code": ...}. An error changes nothing and stops nothing. Blank lines are passed over.

Requests have a Method (RequestPool, ReleasePool, RequestAddress, ReleaseAddress, GetDefaultAddressSpaces, GetCapabilities) and the fields of the protocol; one that is absent is empty. The address space "null" is the null driver's. Before all others there may be Configure: the default pools of the spaces that it names, and prefixes that the host uses itself, which no local pool shall overlap unless it is asked for by name. Its answer is what is in force.`,
    examples: `
Examples:
  echo '{"Method":"RequestPool","AddressSpace":"LocalDefault"}' | cnm ipam replay
  cnm ipam replay --summary requests.jsonl > answers.jsonl
  cnm ipam replay --quiet requests.jsonl               what went wrong, and in which line

A log:
  {"Method":"Configure","LocalDefault":[{"Base":"172.16.0.0/12","Size":24}],"Exclude":["172.16.0.0/24"]}
  {"Method":"RequestPool","AddressSpace":"LocalDefault"}
  {"Method":"RequestAddress","PoolID":"LocalDefault/172.16.1.0/24"}
  {"Method":"ReleaseAddress","PoolID":"LocalDefault/172.16.1.0/24","Address":"172.16.1.1"}
${EXIT_STATUS}`,
  },
  'ipam show': {
    about: `Replays a log as "cnm ipam replay" does, and draws the pools that are in use at its end: how full they are, their sub-pools, and their used, reserved and free ranges. Every cell of a bar is an equal share of the pool. Percentages are of the addresses that can be given, which the reserved ones are not.`,
    examples: `
Examples:
  cnm ipam show requests.jsonl
  cnm ipam show --pool LocalDefault/172.17.0.0/16 requests.jsonl
  cnm ipam show --json requests.jsonl | jq '.pools[] | select(.percentUsed > 90) | .id'

--json prints (a count above 2^53 - 1 is a string of digits; ranges follow each other without gaps):
  { "requests": count, "errors": { "<Code>": count, ... },
    "pools": [{ "id", "range", "size", "used", "reserved", "free": counts, "percentUsed": number | null,
                "next": lowest free address | null, "space", "subnet",
                "requested": false if only its sub-pools are in use,
                "subPools": [{ "id", "range", "size", "used", "reserved", "free", "percentUsed", "next" }],
                "ranges": [{ "state": "used" | "reserved" | "free", "first", "last", "count" }] }] }
${EXIT_STATUS}`,
  },
}
