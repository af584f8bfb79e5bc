// What former versions stored, as it would be stored now; what is not theirs is left as it is, and refused or taken by its decoder.

import { isObject } from './decoder.ts'

/** Before pools had one, the exit of a network that is neither internal nor a plugin's was by its gateway. */
const withExit = (pool: unknown, isRouted: boolean): unknown => {
  if (!isObject(pool) || Object.hasOwn(pool, 'exit')) return pool
  const { gateway } = pool
  return { ...pool, exit: isRouted && gateway !== null ? { by: 'gateway', via: gateway } : null }
}

export const formerNetwork = (network: unknown): unknown => {
  if (!isObject(network)) return network
  const { internal, config, pools } = network
  if (!Array.isArray(pools)) return network
  const isRemote = isObject(config) && config['remote'] === true
  return { ...network, pools: pools.map((pool) => withExit(pool, internal === false && !isRemote)) }
}

/** Before attachments had them, there were neither static routes nor links. */
export const formerEndpoint = (endpoint: unknown): unknown => {
  if (!isObject(endpoint) || !isObject(endpoint['attachment'])) return endpoint
  const { attachment } = endpoint
  if (Object.hasOwn(attachment, 'routes') || Object.hasOwn(attachment, 'links')) return endpoint
  return { ...endpoint, attachment: { ...attachment, routes: [], links: [] } }
}

/** Before sandboxes had them, there were no sysctls of whole namespaces. */
export const formerSandbox = (sandbox: unknown): unknown =>
  !isObject(sandbox) || Object.hasOwn(sandbox, 'sysctls') ? sandbox : withSysctls(sandbox)

/** Where `decide` has it: before the ports. */
const withSysctls = ({ ports, ...sandbox }: Readonly<Record<string, unknown>>): unknown => ({
  ...sandbox,
  sysctls: {},
  ports,
})
