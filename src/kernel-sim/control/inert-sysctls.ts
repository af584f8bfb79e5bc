// Sysctls of a namespace that are kept and told, and that nothing simulated depends on: what containers are given most. Defaults and
// bounds as Linux has them (net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c); two defaults grow with memory, as on 16 GiB.

type Bounds = Readonly<{ otherwise: number; least: number; most: number }>

const LEAST = -(2 ** 31)
const MOST = 2 ** 31 - 1
/** Kept as a byte. */
const BYTE = 255
/** Kept in ticks of a 250th of a second. */
const SECONDS = 8_589_934

const bounds = (otherwise: number, least: number = LEAST, most: number = MOST): Bounds => ({ otherwise, least, most })

export const INERT: Readonly<Record<string, Bounds>> = {
  'net.core.somaxconn': bounds(4096, 0),
  'net.ipv4.ip_unprivileged_port_start': bounds(1024, 0, 32_768),
  'net.ipv4.tcp_abort_on_overflow': bounds(0, 0, BYTE),
  'net.ipv4.tcp_autocorking': bounds(1, 0, 1),
  'net.ipv4.tcp_fastopen': bounds(1),
  'net.ipv4.tcp_fin_timeout': bounds(60, -SECONDS, SECONDS),
  'net.ipv4.tcp_keepalive_intvl': bounds(75, -SECONDS, SECONDS),
  'net.ipv4.tcp_keepalive_probes': bounds(9, 0, BYTE),
  'net.ipv4.tcp_keepalive_time': bounds(7200, -SECONDS, SECONDS),
  'net.ipv4.tcp_max_syn_backlog': bounds(2048),
  'net.ipv4.tcp_max_tw_buckets': bounds(131_072),
  'net.ipv4.tcp_no_metrics_save': bounds(0, 0, BYTE),
  'net.ipv4.tcp_orphan_retries': bounds(0, 0, BYTE),
  'net.ipv4.tcp_rfc1337': bounds(0, 0, BYTE),
  'net.ipv4.tcp_slow_start_after_idle': bounds(1, 0, BYTE),
  'net.ipv4.tcp_syncookies': bounds(1, 0, BYTE),
  'net.ipv4.tcp_tw_reuse': bounds(2, 0, 2),
  'net.ipv4.udp_rmem_min': bounds(4096, 1),
  'net.ipv4.udp_wmem_min': bounds(4096, 1),
}
