// The keys of the Compose Specification that have a bearing on networks; every other key is none of our business.

import type { Path } from './tree.ts'

/** Keys of a service that we read. */
export const SERVICE_KEYS: ReadonlySet<string> = new Set([
  'container_name',
  'deploy',
  'dns',
  'dns_opt',
  'dns_search',
  'domainname',
  'expose',
  'extends',
  'external_links',
  'extra_hosts',
  'hostname',
  'links',
  'mac_address',
  'network_mode',
  'networks',
  'ports',
  'profiles',
  'provider',
  'scale',
  'sysctls',
])

/** Keys of a service that we leave alone: listed so that a mistyped key of ours is told from them. */
export const OTHER_SERVICE_KEYS: ReadonlySet<string> = new Set(
  `annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs cpu_count cpu_percent
  cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on develop
  device_cgroup_rules devices entrypoint env_file environment gpus group_add healthcheck image init ipc isolation
  label_file labels logging mem_limit mem_reservation mem_swappiness memswap_limit models oom_kill_disable oom_score_adj
  pid pids_limit platform post_start pre_stop privileged pull_policy pull_refresh_after read_only restart runtime secrets
  security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt tmpfs tty ulimits use_api_socket user
  userns_mode uts volumes volumes_from working_dir`.split(/\s+/),
)

export const TOP_KEYS: ReadonlySet<string> = new Set(['include', 'name', 'networks', 'services', 'x-cnm'])
export const OTHER_TOP_KEYS: ReadonlySet<string> = new Set(['configs', 'models', 'secrets', 'version', 'volumes'])

/** Whether the value at this path is one we read. */
export const bearsOnNetworks = (path: Path): boolean =>
  path[0] === 'services'
    ? path[2] === undefined || (SERVICE_KEYS.has(path[2]) && (path[2] !== 'deploy' || path[3] === 'replicas'))
    : path[0] !== undefined && TOP_KEYS.has(path[0])
