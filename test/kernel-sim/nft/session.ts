// One session at a terminal, command after command as nft(8), the nftables wiki and tutorials have them. `words` are those of a
// command line; `text` is a file that `nft -f` reads.

export type Typed = Readonly<{ options: ReadonlyArray<'-a' | '-j'>; words: string } | { text: string }>

const line = (command: string): Typed => {
  const options = (['-a', '-j'] as const).filter((option) => command.split(' ').includes(option))
  return {
    options,
    words: command
      .split(' ')
      .filter((word) => word !== '-a' && word !== '-j')
      .join(' '),
  }
}

const COMMANDS = `
add table ip filter
add table inet my_table { comment "of mine" ; }
create table ip6 six
list tables
-a list tables
list tables ip6
add chain ip filter INPUT { type filter hook input priority 0 ; policy accept ; }
add chain ip filter OUTPUT { type filter hook output priority 0 ; }
add chain ip filter TCP
add rule ip filter OUTPUT ip daddr 8.8.8.8 counter
add rule filter INPUT tcp dport ssh accept
add rule filter INPUT ip saddr 192.168.1.0/24 tcp dport { 22, 80, 443 } counter accept
insert rule filter INPUT ct state established,related accept
insert rule filter INPUT index 1 iif lo accept
add rule filter INPUT index 0 ip protocol icmp drop comment "no pings"
-a list chain ip filter INPUT
add rule filter INPUT handle 8 udp dport 53 accept
replace rule filter INPUT handle 5 tcp dport { ssh, 2222 } accept
delete rule filter INPUT handle 6
add rule filter INPUT udp sport 67-68 udp dport 67-68 accept
list table filter
-a list table filter
-j list table filter
-j -a list chain filter OUTPUT
list chains
list chains ip6
-j list chains ip
add chain inet my_table my_filter_chain { type filter hook input priority filter + 1 ; policy drop ; }
add rule inet my_table my_filter_chain tcp flags & (fin|syn) == fin|syn drop
add rule inet my_table my_filter_chain meta nfproto ipv4 icmp type echo-request limit rate 5/second accept
add rule inet my_table my_filter_chain ct state vmap { established : accept, related : accept, invalid : drop }
add set inet my_table my_set { type ipv4_addr ; flags interval ; comment "an example" ; }
add element inet my_table my_set { 10.0.0.0/8, 192.0.2.1, 198.51.100.1-198.51.100.9 }
add rule inet my_table my_filter_chain ip saddr @my_set drop
list set inet my_table my_set
-j list set inet my_table my_set
delete element inet my_table my_set { 192.0.2.1 }
list sets
-j list sets inet
add set inet my_table pairs { type ipv4_addr . inet_service ; }
add element inet my_table pairs { 10.0.0.1 . 80 }
add rule inet my_table my_filter_chain ip saddr . tcp dport @pairs accept
add map inet my_table my_vmap { type inet_service : verdict ; }
add chain inet my_table web
add element inet my_table my_vmap { 80 : jump web, 22 : accept }
add rule inet my_table my_filter_chain tcp dport vmap @my_vmap
list maps
-j list map inet my_table my_vmap
add counter inet my_table https
add rule inet my_table web tcp dport 443 counter name https
list counters
-j list counters
list counter inet my_table https
reset counters
add table ip nat
add chain ip nat prerouting { type nat hook prerouting priority -100 ; }
add chain ip nat postrouting { type nat hook postrouting priority srcnat ; }
add rule ip nat prerouting tcp dport 80 dnat to 10.0.0.2:8080
add rule ip nat prerouting dnat to tcp dport map { 8080 : 10.0.0.1, 8081 : 10.0.0.2 }
add rule ip nat prerouting dnat to numgen inc mod 2 map { 0 : 10.0.0.3, 1 : 10.0.0.4 }
add rule ip nat prerouting tcp dport 8022 redirect to :22
add rule ip nat postrouting ip saddr 10.0.0.0/24 oifname "eth0" masquerade
add rule ip nat postrouting snat to 203.0.113.1-203.0.113.4 persistent
list table nat
-j list table nat
rename chain ip filter TCP tcp_chain
list chain ip filter tcp_chain
flush chain ip filter OUTPUT
flush set inet my_table my_set
flush table ip nat
list ruleset ip
-a list ruleset inet
-j list ruleset
delete set inet my_table pairs
delete chain ip filter nope
delete chain inet my_table web
list table ip nope
create table ip filter
add rule ip filter nope accept
add rule ip filter INPUT ip saddr 1.2.3.4/33 drop
add rule ip filter INPUT tcp dport 70000 drop
add rule ip filter INPUT tcp port 22
add element inet my_table my_set { 10.0.0.0/8, 10.1.0.0/16 }
add chain ip filter late { type nat hook forward priority 0 ; }
add rule ip filter INPUT jump INPUT
delete rule ip filter INPUT handle 99
delete chain ip filter OUTPUT
delete table ip nat
flush ruleset ip6
flush ruleset
list ruleset
`

const FILE = `#!/usr/sbin/nft -f
flush ruleset
define LAN = { 10.1.0.0/16, 10.2.0.0/16 }
define WAN = eth0

table inet firewall {
	set blocked {
		type ipv4_addr
		flags timeout
		timeout 1h
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iif lo accept
		ip saddr @blocked drop
		ip saddr $LAN tcp dport { domain, http } accept
		iifname $WAN counter reject with icmpx type port-unreachable
	}
}
`

const lines = COMMANDS.trim().split('\n').map(line)
export const SESSION: ReadonlyArray<Typed> = [...lines, { text: FILE }, line('list ruleset'), line('-j list ruleset')]
