// What `--help` of the host's verbs teaches.

import type { Help } from '../help.ts'

export const HOST_EXIT_STATUS = `
Exit status: 0 done; 1 refused as things are (Conflict, Forbidden, NotFound; of several names,
one), or doctor found differences; 2 the command line is wrong; 3 this machine lacks something,
or its kernel refused; 70 a defect of cnm.`

type Group =
  | 'network'
  | 'endpoint'
  | 'sandbox'
  | 'events'
  | 'doctor'
  | 'proxy'
  | 'host'
  | 'store'
  | 'journal'
  | 'replay'
  | 'completion'

const STATE = `The host's networks are remembered in a state directory, --state, or on servers of etcd, ZooKeeper or Consul, --store etcd://HOST:PORT,.../PREFIX, zk://... or consul://... (docs/clusters.md), for one process at a time. Where several hosts share a prefix of such servers, --host says which of them this machine is ("cnm host --help"). Each verb opens it, puts right what a crash or a hand has changed on the machine, does its work, and ends; no daemon runs. With --kernel sim the machine is a simulated one, built anew each time from what is remembered: for trying things out, without root, in a state directory of its own.`

const NAMED = `Things are named by name, by id, or by the beginning of an id that fits one only.`

export const HOST_HELP: Readonly<Record<Group, Help>> = {
  network: {
    about: `Makes and removes networks of this host, and connects sandboxes to them, with the options of "docker network".

${STATE}

${NAMED}`,
    examples: `
Examples:
  sudo cnm network create front                        a bridge with a free subnet; prints its id
  sudo cnm network create --subnet 10.5.0.0/24 --gateway 10.5.0.1 --internal back
  sudo cnm network create --ipv6 --subnet fd00:5::/64 --ipv4=false six
  sudo cnm network connect --ip 10.5.0.9 back web
  sudo cnm network ls --filter driver=bridge --format json | jq '.[].name'
  sudo cnm network create --scope global wide          on all hosts that share the store, with --host
  sudo cnm network rm --dry-run front                  the commands it would run, and nothing done
  cnm network create --kernel sim --state ./try front  on a simulated machine

"ls --format json" prints an array of these, and so does "inspect":
  { "id", "name", "driver", "scope", "internal", "attachable", "ingress", "configOnly":
    booleans, "configFrom": name | null, "labels", "options": objects,
    "pools": [{ "subnet", "ipRange", "gateway": address | null, "auxAddresses": object }],
    "endpoints": [as in "cnm endpoint ls"] }
${HOST_EXIT_STATUS}`,
  },
  endpoint: {
    about: `Makes and removes endpoints: places on a network, with addresses that are kept for them. "cnm network connect" makes one and joins a sandbox to it at once.

${NAMED} An endpoint may also be named NETWORK/NAME.`,
    examples: `
Examples:
  sudo cnm endpoint create --ip 10.5.0.9 back web      keeps the address; prints the endpoint's id
  sudo cnm endpoint ls --filter network=back
  sudo cnm endpoint inspect back/web
  sudo cnm endpoint rename --alias www back/web site   its names, all at once
  sudo cnm endpoint rm --force back/site               also if a sandbox has joined it

"ls --format json" prints an array of these, and so does "inspect":
  { "id", "name", "network", "networkId", "sandbox", "sandboxId", "interface": null if not joined,
    "host": null if none shares the store, "mac", "addresses": ["172.18.0.2/16", ...],
    "aliases": [...], "gwPriority": number | null }
${HOST_EXIT_STATUS}`,
  },
  sandbox: {
    about: `Makes and removes sandboxes: network namespaces with the endpoints of one container. A process is started in one with "ip netns exec".

${NAMED}`,
    examples: `
Examples:
  sudo cnm sandbox create web                          namespace cnm-web; prints the sandbox's id
  sudo cnm sandbox create -p 8080:80 -p 53:53/udp --hostname www web
  sudo cnm sandbox create --netns host proxy           shares the namespace of the host
  sudo cnm sandbox create --external job               its namespace is made by somebody else, such as a container runtime,
  sudo cnm sandbox set-key job 4711                    and is that of process 4711
  sudo cnm network connect front web
  sudo ip netns exec cnm-web sh
  sudo cnm sandbox create --dns 9.9.9.9 --add-host db:203.0.113.7 --expose 80 api
  sudo cnm sandbox rename web www                      with its endpoints, or not at all
  sudo cnm sandbox refresh -p 8081:80 www              all options anew; what is not said is gone
  sudo cnm sandbox stats www                           packets and bytes of its interfaces, since they were made
  sudo cnm sandbox rm www                              with its endpoints

"ls --format json" prints an array of these, and so does "inspect":
  { "id", "name", "hostname", "domainname", "netns", "external": boolean, "key": path | null,
    "labels": object, "exposed": ["80/tcp", ...],
    "ports": [{ "hostIp": address | null for all, "hostPort", "containerPort", "proto" }],
    "dns": { "servers", "search", "options": arrays }, "extraHosts": [{ "name", "ip" }],
    "endpoints": [as in "cnm endpoint ls", best way out first] }

"stats --format json" prints an array of these:
  { "id", "name", "netns", "interfaces": [{ "interface", "network",
    "rx": { "packets", "bytes", "errors", "dropped" }, "tx": the same }] }
${HOST_EXIT_STATUS}`,
  },
  events: {
    about: `Prints what happened on this host, from the journal in the state directory: what each verb that changed something did, in its order. Turns are counted from 1; the journal keeps the last 1000 at least. It is read beside a verb that is at work; a turn is told when nothing can take it back any more, which is when that verb has ended or begun the next.`,
    examples: `
Examples:
  sudo cnm events
  sudo cnm events --since 41                           after turn 41
  sudo cnm events --format json | jq '.[] | select(.event == "Joined")'
  sudo cnm events --follow --format json | jq -r .event   as it happens; Ctrl-C ends it

--format json prints an array of { "turn", "event", "id", "name": null if it is not in the journal };
with --follow each of them in a line of its own.
${HOST_EXIT_STATUS}`,
  },
  doctor: {
    about: `Compares this machine with what the state directory says it should hold, and changes nothing unless told to. missing: it should be there. changed: it is there, otherwise than it should be. surplus: it bears our mark and nobody wants it. foreign: somebody else's thing has a name that we need; that is never touched, and stands in the way of a repair.

With --repair it puts right what is missing, changed or surplus. Every verb that changes something does so first, too; but where the store never knew of anything on this machine, only --repair takes down what is there. A simulated machine is built anew each time, so nothing differs there.

With --watch it stays and repairs whenever the kernel tells of a change, and says so, a line each; what the kernel does not tell of (sysctls, namespaces in which we have no interface) it finds every 30 seconds. Other verbs work beside it: it has the state directory for the moment of a repair only.

With --machine it shows what this kernel and this user can do instead: rights, namespaces, kinds of links, nftables, programs. Anybody may ask. What must be tried is tried in namespaces that are gone afterwards, and no module is loaded. Without a state directory "doctor" shows that, too.`,
    examples: `
Examples:
  sudo cnm doctor
  sudo cnm doctor --repair
  sudo cnm doctor --json | jq '.differences[].object'
  sudo cnm doctor --watch                              until Ctrl-C, which is status 130
  sudo cnm doctor --watch --json --every 10 >> /var/log/cnm-repairs.jsonl
  cnm doctor --machine                                 can this machine do it?
  cnm doctor --machine --json | jq '.features.ipvlan'

--json prints:
  { "differences": [{ "state", "key", "object": in words, "owners": in words,
                      "follows": key of the difference it comes from | null }],
    "repaired": boolean }
with --watch each difference in a line of its own, with "event": "repaired" | "foreign";
with --machine:
  { "kernel", "user": { "uid", "netAdmin", "sysAdmin", "inUserNamespace" },
    "tried": "network namespace" | "user namespace" | null, "transport",
    "features": { name: { "is": "there" | "loadable" | "lacking" | "unknown",
                          "why" or "module": where there is one } },
    "tools": { name: version | null }, "lacking": sentences; none: all that networks need is there }
${HOST_EXIT_STATUS}`,
  },
  proxy: {
    about: `Stays, and relays published ports where the kernel has no way to the container: who comes by IPv6 of the host to a container that has IPv4 alone, and who comes by ::1. Everything else the kernel does, without it. TCP and UDP, all of this host in one process.

It follows what other verbs do, says in a line each what it relays and what it does so no more, and changes nothing. A port that another program has is said once, and tried again every second.`,
    examples: `
Examples:
  sudo cnm proxy                                       until Ctrl-C, which is status 130
  sudo cnm proxy --state /srv/cnm >> /var/log/cnm-proxy.log
${HOST_EXIT_STATUS}`,
  },
  host: {
    about: `Hosts may share a prefix of etcd, ZooKeeper or Consul: each verb then says, with --host NAME or CNM_HOST beside --store, which of them this machine is. Networks of global scope are on all of them, with one name and one set of subnets, and no two hosts hand out the same address or name; sandboxes, other networks and published ports are each host's own. A host comes into being with its first verb that changes something.

"ls" lists those that were ever here and have not been forgotten. up: a process is that host at the moment. away: none is, and nothing is amiss: its containers run on, and what it has stays its own. down: an engine of it that was to run on is gone without a word; the others take from it what it had.

"forget" is for a host that will not come back: its endpoints of shared networks are cleared, so their addresses and names are free again, and what it kept for itself is removed. One that is up is not forgotten. Should a forgotten host come back, it begins with nothing, and "cnm doctor --repair" takes down what was left on it.`,
    examples: `
Examples:
  export CNM_STORE=etcd://10.0.0.1,10.0.0.2,10.0.0.3/cnm/blue   on all machines, as root
  export CNM_HOST=alpha                                on one of them; beta on another
  cnm network create --scope global --subnet 10.5.0.0/16 wide   once, on any of them
  cnm network connect wide web                         on each, with sandboxes of its own
  cnm endpoint ls --filter host=beta
  cnm host ls
  cnm host forget beta                                 asks first; with --yes it does not

"ls --json" prints an array of:
  { "host", "state": "up" | "away" | "down", "endpoints": how many of shared networks it has,
    "process": { "machine", "pid" } | null }
${HOST_EXIT_STATUS}`,
  },
  store: {
    about: `Keeps, carries over and checks what a state directory, or with --store a prefix of etcd, ZooKeeper or Consul, holds: the networks, endpoints and sandboxes, and the journal; of a prefix that hosts share, all of it, with all hosts. The machine is left alone; the next verb that changes something brings it to what the store says.`,
    examples: `
Examples:
  sudo cnm store export networks.jsonl
  sudo cnm store import --state /srv/cnm networks.jsonl   into an empty store
  sudo cnm store export | cnm store import --store etcd://10.0.0.1:2379,10.0.0.2:2379/cnm/alpha
  sudo cnm store check                                    every page and record, against its checksum
${HOST_EXIT_STATUS}`,
  },
  journal: {
    about: `Prints the journal of this host as a file: a checkpoint, every command since with what it did, and the state it led to, under a checksum. Whoever has it can do the same again with "cnm replay".`,
    examples: `
Examples:
  sudo cnm journal export > journal.jsonl
${HOST_EXIT_STATUS}`,
  },
  replay: {
    about: `Does the commands of a journal again on a simulated machine, from its checkpoint, and says whether that leads to the same events and the same state, or where it first does not: then the journal was altered, or the rules of this cnm are others.`,
    examples: `
Examples:
  cnm replay journal.jsonl
  cnm replay --step journal.jsonl                      each turn, with the commands behind it
  sudo cnm journal export | cnm replay --json

--json prints { "turns", "commands": counts, "identical": boolean, "differs": where and how | null }.

Exit status: 0 the same came of it; 1 something else did; 2 the file or the command line is
wrong; 70 a defect of cnm.`,
  },
  completion: {
    about: `Prints a script that completes verbs and options of cnm in bash or zsh.`,
    examples: `
Examples:
  source <(cnm completion bash)                        in this shell; or add the line to ~/.bashrc
  cnm completion bash | sudo tee /etc/bash_completion.d/cnm >/dev/null
  cnm completion zsh > ~/.zfunc/_cnm                   a folder of your fpath
${HOST_EXIT_STATUS}`,
  },
}
