// What both dockerd and we are told: networks, containers, connections, in Docker's words, one step after the other.

/** `subnets`: of either family; null: one of IPv4 from the defaults. */
export type NetworkWish = Readonly<{
  name: string
  driver?: string
  subnets?: ReadonlyArray<
    Readonly<{ subnet: string; gateway?: string; range?: string; aux?: Readonly<Record<string, string>> }>
  >
  ipv6?: boolean
  internal?: boolean
  options?: Readonly<Record<string, string>>
}>

/** How a container is on a network. */
export type Attached = Readonly<{
  network: string
  ip?: string
  ip6?: string
  mac?: string
  linkLocal?: ReadonlyArray<string>
}>

/** As `docker run -p` has it: `[hostIp:]hostPort:containerPort[/protocol]`; an empty host port is any. */
export type Publish = string

/** `on` null: no network (`--network none`). */
export type ContainerWish = Readonly<{ name: string; on: Attached | null; publish?: ReadonlyArray<Publish> }>

export type Step = Readonly<
  | { do: 'network'; network: NetworkWish }
  | { do: 'run'; container: ContainerWish }
  | { do: 'connect'; container: string; to: Attached }
  | { do: 'disconnect'; container: string; from: string }
  | { do: 'remove'; container: string }
>

/** `differs`: lines of the account that are others, and why; each must be there. */
export type Scenario = Readonly<{
  says: string
  steps: ReadonlyArray<Step>
  differs?: ReadonlyArray<Readonly<{ line: RegExp; reason: string }>>
}>

export const network = (name: string, wish: Omit<NetworkWish, 'name'> = {}): Step => ({
  do: 'network',
  network: { name, ...wish },
})
export const run = (name: string, on: string | Attached | null, publish: ReadonlyArray<Publish> = []): Step => ({
  do: 'run',
  container: { name, on: typeof on === 'string' ? { network: on } : on, publish },
})
export const connect = (container: string, to: string | Attached): Step => ({
  do: 'connect',
  container,
  to: typeof to === 'string' ? { network: to } : to,
})
export const disconnect = (container: string, from: string): Step => ({ do: 'disconnect', container, from })
export const remove = (container: string): Step => ({ do: 'remove', container })

/** What is published, read. */
export const readPublish = (
  text: Publish,
): Readonly<{ hostIp: string | null; hostPort: number | null; containerPort: number; protocol: 'tcp' | 'udp' }> => {
  const [, ip, host = '', container, protocol = 'tcp'] =
    /^(?:(\[[^\]]*\]|[^:]*):)?([0-9]*):([0-9]+)(?:\/(tcp|udp))?$/.exec(text) ?? []
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`${text} is not understood`)
  return {
    hostIp: ip === undefined || ip === '' ? null : ip.replace(/^\[(.*)\]$/, '$1'),
    hostPort: host === '' ? null : Number(host),
    containerPort: Number(container),
    protocol,
  }
}
