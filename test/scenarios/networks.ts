// Networks that several scenarios begin with, as commands.

/** A cable between two namespaces, both ends up. */
export const cable = (a: string, devA: string, b: string, devB: string): string => `
  ip link add ${devA} netns ${a} type veth peer name ${devB} netns ${b}
  ip -n ${a} link set ${devA} up
  ip -n ${b} link set ${devB} up`

/** A host with an address of each family, and its way out, if it has one. */
export const host = (name: string, dev: string, at: number, net = 1, router: number | null = null): string => `
  ip -n ${name} addr add 10.0.${net}.${at}/24 dev ${dev}
  ip -n ${name} addr add fd00:${net}::${at}/64 dev ${dev} nodad${
    router === null
      ? ''
      : `
  ip -n ${name} route add default via 10.0.${net}.${router}
  ip -n ${name} route add default via fd00:${net}::${router}`
  }`

/** Hosts h1, h2, ... with eth0 at the ports p1, p2, ... of the bridge br0 of sw. */
export const switched = (hosts: number, options = ''): string =>
  [
    `ip -n sw link add br0 type bridge ${options}`,
    'ip -n sw link set br0 up',
    ...Array.from({ length: hosts }, (_, i) => i + 1).flatMap((n) => [
      cable('sw', `p${n}`, `h${n}`, 'eth0'),
      `ip -n sw link set p${n} master br0`,
      host(`h${n}`, 'eth0', n),
    ]),
  ].join('\n')

export const SWITCHED = ['sw', 'h1', 'h2', 'h3']

/** h1 at net 1, h2 at net 2, and between them the router r with r1 and r2. */
export const routed = `
  ${cable('r', 'r1', 'h1', 'eth0')}
  ${cable('r', 'r2', 'h2', 'eth0')}
  ${host('r', 'r1', 254, 1)}
  ${host('r', 'r2', 254, 2)}
  ${host('h1', 'eth0', 1, 1, 254)}
  ${host('h2', 'eth0', 2, 2, 254)}`

export const ROUTED = { spaces: ['h1', 'r', 'h2'], routers: ['r'] } as const
