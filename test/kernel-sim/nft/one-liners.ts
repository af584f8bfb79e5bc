// Commands as people type them: from nft(8), the nftables wiki and common tutorials. Each is one script on top of a ruleset that
// has what they talk about.

/** What the commands find. */
export const SETTING = `
table inet filter {
  counter web { packets 0 bytes 0; }
  set blackhole { type ipv4_addr; flags interval; }
  set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; size 1024; }
  map ports { type inet_service : verdict; }
  chain tcp_in { }
  chain input { type filter hook input priority filter; policy accept; }
  chain output { type filter hook output priority filter; policy accept; }
}
table ip nat {
  map porttoip { type inet_service : ipv4_addr; }
  map both { type inet_service : ipv4_addr . inet_service; }
  chain prerouting { type nat hook prerouting priority dstnat; }
  chain postrouting { type nat hook postrouting priority srcnat; }
}
table netdev early {
  chain in { type filter hook ingress device lo priority filter; }
}
table bridge br {
  chain forward { type filter hook forward priority filter; }
}
table arp a {
  chain in { type filter hook input priority filter; }
}
`

const INPUT = `iif lo accept
iifname "eth0" tcp dport { ssh, http, https } accept
iifname != "lo" ip daddr 127.0.0.0/8 drop
ct state established,related accept
ct state invalid drop
ct state new tcp dport 22 accept
ct state vmap { established : accept, related : accept, invalid : drop }
ct status dnat accept
ct mark 0x10 accept
ct direction reply accept
ct original ip saddr 192.168.0.1 accept
ct zone 1 drop
tcp dport ssh accept
tcp dport 8000-8100 drop
tcp dport != { 80, 443 } drop
tcp sport >= 1024 counter accept
tcp flags & (fin | syn | rst | ack) == syn ct state new
tcp flags & (fin|syn|rst|psh|ack|urg) == fin|psh|urg drop
tcp flags syn / fin,syn,rst,ack accept
tcp flags != syn ct state new drop
udp dport { 53, 67-68, 123 } accept
th dport 53 accept
meta l4proto { tcp, udp } th dport 53 accept
meta l4proto tcp tcp dport 22 accept
ip protocol tcp drop
ip protocol { icmp, esp, ah } accept
ip protocol icmp th dport ssh accept
ip protocol icmp th sport { ssh, 1-2 } accept
ip saddr 10.0.0.0/8 ip daddr 10.0.0.1 accept
ip saddr { 10.0.0.0/8, 192.168.1.1-192.168.1.100, 172.16.0.1 } accept
ip saddr != 192.168.0.0/16 drop
ip saddr & 255.255.255.0 == 192.168.1.0 accept
ip daddr 192.168.0.1-192.168.0.250 accept
ip ttl < 2 drop
ip dscp cs1 accept
ip dscp set af21
ip6 saddr fe80::/10 accept
ip6 nexthdr icmpv6 accept
ip6 hoplimit 255 icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
icmp type echo-request limit rate 5/second accept
icmp type { echo-reply, destination-unreachable, time-exceeded } accept
icmp code frag-needed accept
icmpv6 type { echo-request, mld-listener-query } accept
limit rate 400/minute accept
limit rate over 10/second burst 20 packets drop
limit rate over 10 mbytes/second drop
limit rate 512 kbytes/second burst 1 mbytes accept
log prefix "input: " level info drop
log group 2 snaplen 128 accept
log flags tcp options flags skuid
counter name web accept
counter packets 5 bytes 300 drop
reject
reject with tcp reset
reject with icmp type host-unreachable
reject with icmpv6 type no-route
reject with icmpx type admin-prohibited
ip saddr 10.1.1.1 reject
ip protocol tcp reject with icmp type host-unreachable
meta l4proto udp reject
meta nfproto ipv4 reject with icmpx type admin-prohibited
meta nfproto ipv6 reject with icmpx type port-unreachable
counter reject with tcp reset
counter reject with icmpv6 type no-route
tcp dport 5 tcp sport 6 accept
tcp dport != 5 tcp sport != 6 accept
tcp dport 5 counter tcp sport 6 accept
tcp flags syn tcp window 5 accept
ip protocol tcp ip ttl 5 tcp dport 22 accept
ip ttl >= 5 ip ttl <= 10 accept
ip ttl < 5 ip ttl > 10 accept
udp dport 53 th sport 53 accept
jump tcp_in
goto tcp_in
return
continue
meta mark 0x1 accept
meta mark set 0x2
meta mark set ct mark
meta mark set meta mark | 0x10
meta mark & 0xff == 0x10 accept
ct mark set meta mark
meta nfproto ipv4 tcp dport 80 accept
meta nfproto ipv6 drop
meta pkttype broadcast drop
meta length > 1000 drop
meta protocol ip accept
fib daddr type local accept
fib daddr . iif type != { local, broadcast, multicast } drop
fib saddr . iif oif missing drop
fib saddr oif exists accept
ip saddr @blackhole drop
ip saddr != @blackhole accept
tcp dport vmap @ports
tcp dport vmap { 22 : accept, 80 : jump tcp_in, 8000-8100 : drop }
ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 } accept
ip saddr . tcp dport vmap { 10.0.0.0/8 . 22 : accept, 11.0.0.1 . 80-90 : drop }
iifname . ip saddr { "eth0" . 10.0.0.1, "eth1" . 10.0.0.2 } accept
add @seen { ip saddr } accept
update @seen { ip saddr timeout 30s } drop
update @seen { ip saddr limit rate over 10/minute } drop
numgen inc mod 2 vmap { 0 : accept, 1 : drop }
numgen random mod 100 < 25 drop
jhash ip saddr mod 2 seed 0xabcd vmap { 0 : accept, 1 : drop }
meta mark set numgen inc mod 3 offset 100
meta mark set jhash ip saddr . ip daddr mod 2
notrack
tcp dport 22 accept comment "secure shell"
ether saddr 00:11:22:33:44:55 accept
vlan id 10 accept`

const PREROUTING = `dnat to 10.0.0.1
tcp dport 80 dnat to 10.0.0.1:8080
tcp dport { 80, 443 } dnat to 10.0.0.1
iifname "eth0" tcp dport 8080 redirect to :80
udp dport 53 redirect to 5353
dnat to tcp dport map { 80 : 192.168.1.100, 8888 : 192.168.1.101 }
dnat to tcp dport map @porttoip
dnat ip addr . port to tcp dport map @both
dnat to numgen inc mod 2 map { 0 : 192.168.10.100, 1 : 192.168.20.200 }
dnat to jhash ip saddr mod 2 map { 0 : 192.168.20.100, 1 : 192.168.30.100 }
dnat to numgen random mod 10 map { 0-7 : 10.0.0.1, 8-9 : 10.0.0.2 }
tcp dport 80 dnat to 10.0.0.1-10.0.0.4:8080-8090 persistent
dnat to 10.0.0.1 random`

const POSTROUTING = `oifname "eth0" masquerade
masquerade fully-random,persistent
ip saddr 10.0.0.0/8 oifname "eth0" snat to 1.2.3.4
ip saddr 192.168.1.0/24 snat to 1.2.3.4-1.2.3.8
meta l4proto tcp masquerade to :1024-65535
snat to ip saddr map { 10.0.0.0/24 : 1.2.3.4, 10.0.1.0/24 : 1.2.3.5 }`

const OBJECTS = `add table inet other
add table ip6 six { comment "later"; }
create table inet filter
delete table ip nat
delete table ip nope
flush table inet filter
add chain inet filter forward { type filter hook forward priority 0 ; policy drop ; }
add chain inet filter late { type filter hook input priority filter + 5; }
add chain ip nat output { type nat hook output priority -100 ; }
add chain inet filter mangle { type route hook output priority mangle ; }
add chain inet filter input { policy drop ; }
add chain inet filter plain
delete chain inet filter tcp_in
delete chain inet filter nope
flush chain inet filter input
rename chain inet filter tcp_in tcp_chain
add set inet filter web { type inet_service ; flags interval ; elements = { 80, 443, 8000-8100 } ; }
add set inet filter pairs { type ipv4_addr . inet_service ; flags interval ; }
add set inet filter of { typeof ip saddr . tcp dport ; }
add map inet filter marks { type ipv4_addr : mark ; elements = { 10.0.0.1 : 1 } ; }
add set inet filter timed { type ipv4_addr ; timeout 3h ; }
add set inet filter merged { type ipv4_addr ; flags interval ; auto-merge ; elements = { 10.0.0.0/24, 10.0.1.0/24 } ; }
delete set inet filter blackhole
add element inet filter blackhole { 192.168.3.4, 192.168.4.0/24 }
add element inet filter blackhole { 10.0.0.0/8, 10.1.0.0/16 }
add element inet filter ports { 80 : accept, 22 : jump tcp_in }
add element ip nat porttoip { 80 : 192.168.1.100, 8888 : 192.168.1.101 }
add element ip nat both { 80 : 10.0.0.1 . 8080 }
delete element inet filter blackhole { 1.2.3.4 }
add element inet filter seen { 10.0.0.1 timeout 2h }
flush set inet filter blackhole
flush map ip nat porttoip
add counter inet filter ssh
add counter inet filter ssh { packets 10 bytes 20 ; comment "shells" ; }
delete counter inet filter web
reset counters
insert rule inet filter input tcp dport 22 accept
add rule netdev early in ether type arp drop
add rule netdev early in ip saddr 10.0.0.0/8 counter
add rule bridge br forward ether daddr ff:ff:ff:ff:ff:ff drop
add rule bridge br forward vlan id 5 ip saddr 10.0.0.1 accept
add rule bridge br forward ether type { ip, ip6, arp } accept
add rule arp a in arp operation request accept
add rule arp a in arp saddr ip 10.0.0.1 arp daddr ip 10.0.0.2 drop
delete rule inet filter input handle 99
add rule inet filter nope accept
add rule inet nope input accept
flush ruleset
flush ruleset ip
list ruleset
add rule ip nat prerouting masquerade
add rule inet filter input dnat ip to 10.0.0.1
add rule inet filter input jump nope
add rule inet filter input jump output
add rule inet filter tcp_in jump tcp_in ; add rule inet filter input jump tcp_in`

/** Commands that nft says no to before the kernel is asked. */
const WRONG = `tcp dport
tcp dport 22 acept
tcp dport 65536
tcp dport ssh,http
tcp dport 90-80
tcp foo 5
ip saddr 1.2.3.4/33
ip saddr ::1
ip6 saddr 1.2.3.4
ip saddr 300.1.1.1
ip saddr @nope
ip6 saddr @blackhole
tcp dport vmap @blackhole
tcp dport { 22 : accept }
tcp dport vmap { 22 }
ct state foo
ct foo
meta foo
meta pkttype foo
icmp type foo
udp dport 53 tcp dport 53
ip saddr 1.2.3.4 ip6 saddr ::1
meta l4proto udp reject with tcp reset
accept drop
accept counter
iifname "interface-name-too-long"
vlan id 4096
ip ttl 256
ip saddr . tcp dport 1.2.3.4 . 80
ip saddr . tcp dport { 1.2.3.4 }
fib daddr oif
fib saddr . daddr oif exists
numgen foo mod 2 0
numgen inc mod 0 0
jhash ip saddr 0
limit rate 0/second
counter name nope
log prefix
comment "first" accept
dnat to 10.0.0.1
tcp dport { }
foo
foo bar
@nope
{ 1 }
accept }`

const lines = (text: string): ReadonlyArray<string> => text.trim().split('\n')

export const ONE_LINERS: ReadonlyArray<string> = [
  ...lines(INPUT).map((rule) => `add rule inet filter input ${rule}`),
  ...lines(PREROUTING).map((rule) => `add rule ip nat prerouting ${rule}`),
  ...lines(POSTROUTING).map((rule) => `add rule ip nat postrouting ${rule}`),
  ...lines(OBJECTS),
]
export const WRONG_LINES: ReadonlyArray<string> = lines(WRONG).map((rule) => `add rule inet filter input ${rule}`)
