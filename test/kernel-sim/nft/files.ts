// Whole rulesets in the style of common tutorials, as `nft -f` reads them.

export const FILES: ReadonlyArray<Readonly<{ name: string; text: string }>> = [
  {
    name: 'a workstation',
    text: `#!/usr/sbin/nft -f
flush ruleset

table inet filter {
	chain input {
		type filter hook input priority 0; policy drop;

		# early drop of invalid packets
		ct state invalid drop comment "early drop of invalid packets"
		ct state {established, related} accept comment "accept all connections related to connections made by us"
		iif lo accept comment "accept loopback"
		iif != lo ip daddr 127.0.0.1/8 counter drop
		iif != lo ip6 daddr ::1/128 counter drop
		ip protocol icmp counter accept comment "accept all ICMP types"
		meta l4proto ipv6-icmp counter accept comment "accept all ICMPv6 types"
		tcp dport 22 counter accept comment "accept SSH"
		counter comment "count dropped packets"
	}

	chain forward {
		type filter hook forward priority 0; policy drop;
		counter comment "count dropped packets"
	}

	chain output {
		type filter hook output priority 0; policy accept;
		counter comment "count accepted packets"
	}
}
`,
  },
  {
    name: 'a server',
    text: `flush ruleset
define SSH = { 22, 2222 }
define ADMINS = { 192.0.2.10, 192.0.2.128/25 }

table inet filter {
	set banned {
		type ipv4_addr
		flags interval, timeout
		timeout 1d
	}
	set web {
		type inet_service; flags interval
		elements = { 80, 443, 8000-8099 }
	}
	chain input {
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state vmap { established : accept, related : accept, invalid : drop }
		ip saddr @banned drop
		tcp dport @web accept
		tcp dport $SSH ip saddr $ADMINS accept
		icmp type echo-request limit rate 10/second burst 20 packets accept
		icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
		limit rate 3/minute log prefix "dropped: " level info
	}
}
`,
  },
  {
    name: 'a NAT router',
    text: `define WAN = "eth0"
define LAN = "br-lan"
define LAN4 = 192.168.1.0/24

table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname $WAN tcp dport { 80, 443 } dnat to 192.168.1.10
		iifname $WAN tcp dport 2222 dnat to 192.168.1.11:22
		iifname $WAN udp dport 51820-51830 dnat to 192.168.1.12
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname $WAN ip saddr $LAN4 masquerade
	}
}
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		iifname $LAN oifname $WAN accept
		iifname $WAN oifname $LAN ct status dnat accept
		tcp flags syn / syn,rst counter
	}
}
`,
  },
  {
    name: 'a load balancer',
    text: `table ip balance {
	map backends {
		type inet_service : ipv4_addr
		elements = { 8080 : 10.0.0.1, 8081 : 10.0.0.2 }
	}
	chain prerouting {
		type nat hook prerouting priority dstnat;
		ip daddr 203.0.113.1 tcp dport 80 dnat to numgen inc mod 3 map { 0 : 10.0.0.1, 1 : 10.0.0.2, 2 : 10.0.0.3 }
		ip daddr 203.0.113.1 tcp dport 443 dnat to jhash ip saddr . tcp sport mod 2 seed 0xdeadbeef map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
		ip daddr 203.0.113.2 tcp dport 80 dnat to numgen random mod 100 map { 0-79 : 10.0.0.4, 80-99 : 10.0.0.5 }
		ip daddr 203.0.113.3 dnat to tcp dport map @backends
	}
	chain postrouting {
		type nat hook postrouting priority srcnat;
		ip daddr 10.0.0.0/24 masquerade random
	}
}
`,
  },
  {
    name: 'verdict maps by interface and service',
    text: `table inet filter {
	map by_zone {
		type ifname . inet_service : verdict
		elements = { "lan0" . 53 : accept, "lan0" . 22 : jump admin, "dmz0" . 80 : accept }
	}
	chain admin {
		ip saddr 192.168.1.5 accept
		return
	}
	chain lan { tcp dport { 22, 53, 80 } accept; udp dport 53 accept; }
	chain wan { counter drop; }
	chain input {
		type filter hook input priority filter; policy drop;
		iifname . tcp dport vmap @by_zone
		iifname vmap { "lan0" : jump lan, "wan0" : goto wan, "lo" : accept }
	}
}
`,
  },
  {
    name: 'port knocking',
    text: `table inet knock {
	set step1 { type ipv4_addr; flags dynamic,timeout; timeout 10s; size 1000; }
	set step2 { type ipv4_addr; flags dynamic,timeout; timeout 10s; size 1000; }
	set open { type ipv4_addr; flags dynamic,timeout; timeout 1h; size 1000; }
	chain knocks {
		tcp dport 1001 add @step1 { ip saddr } drop
		tcp dport 1002 ip saddr @step1 add @step2 { ip saddr timeout 5s } drop
		tcp dport 1003 ip saddr @step2 update @open { ip saddr } drop
	}
	chain input {
		type filter hook input priority -5; policy accept;
		ct state established,related accept
		jump knocks
		tcp dport 22 ip saddr @open accept
		tcp dport 22 counter reject with tcp reset
	}
}
`,
  },
  {
    name: 'rate limits per source',
    text: `table ip filter {
	set flood {
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 5m
		comment "who asks too often"
	}
	chain input {
		type filter hook input priority filter;
		tcp dport 22 ct state new update @flood { ip saddr limit rate over 3/minute burst 5 packets } drop
		udp dport 53 limit rate over 100 kbytes/second drop
		ip saddr @flood counter
	}
}
`,
  },
  {
    name: 'marks and policy routing',
    text: `table inet mangle {
	map fwmark {
		type ipv4_addr : mark
		flags interval
		elements = { 10.1.0.0/16 : 1, 10.2.0.0/16 : 2 }
	}
	chain prerouting {
		type filter hook prerouting priority mangle; policy accept;
		ct mark != 0 meta mark set ct mark return
		meta mark set ip saddr map @fwmark
		tcp dport { 80, 443 } meta mark set 0x20
		meta mark & 0xff == 0x20 ct mark set meta mark
		ip dscp set cs2
	}
	chain output {
		type route hook output priority mangle; policy accept;
		udp dport 53 meta mark set meta mark | 0x100
	}
}
`,
  },
  {
    name: 'a bridge and a device',
    text: `table bridge filter {
	set macs {
		type ether_addr
		elements = { 02:42:ac:11:00:02, 02:42:ac:11:00:03 }
	}
	chain forward {
		type filter hook forward priority filter; policy accept;
		ether saddr != @macs drop
		ether type arp arp operation request limit rate 100/second accept
		vlan id { 10, 20 } accept
		ip saddr 10.0.0.0/8 udp dport 67 drop
		icmpv6 type nd-router-advert drop
	}
}
table netdev early {
	chain ingress {
		type filter hook ingress device "lo" priority -500; policy accept;
		ip saddr { 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24 } counter drop
		tcp flags & (fin|syn) == (fin|syn) drop
	}
}
table arp guard {
	chain input {
		type filter hook input priority filter;
		arp operation { request, reply } arp saddr ip 169.254.0.0/16 drop
	}
}
`,
  },
  {
    name: 'reverse paths, zones and conntrack by hand',
    text: `table inet raw {
	chain prerouting {
		type filter hook prerouting priority raw; policy accept;
		fib saddr . iif oif missing counter drop
		fib daddr type { broadcast, multicast, anycast } accept
		udp dport 53 notrack
		iifname "vrf1" ct zone set 1
		iifname "vrf2" ct zone set 2
	}
}
table ip6 filter {
	counter ssh { packets 0 bytes 0; }
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state new tcp dport 22 counter name ssh accept
		ip6 saddr fe80::/10 icmpv6 type { 133-137 } accept
		ip6 nexthdr udp udp dport dhcpv6-client reject
		meta l4proto tcp reject with tcp reset
		reject with icmpv6 type admin-prohibited
	}
}
`,
  },
  {
    name: 'sets of every kind',
    text: `table inet sets {
	set names { type ifname; flags interval; elements = { "eth*", "wlan0", lo }; }
	set pairs { type ipv4_addr . inet_proto . inet_service; flags interval; elements = { 10.0.0.0/8 . tcp . 80-90 }; }
	set six { type ipv6_addr; flags interval; elements = { 2001:db8::/32, fe80::1-fe80::ff }; }
	set of { typeof ip saddr . meta mark; elements = { 10.0.0.1 . 0x10 }; }
	set marks { typeof meta mark; elements = { 1, 2, 0x10 }; }
	set protos { type inet_proto; flags constant; elements = { tcp, udp, icmp, esp, ah, sctp, gre }; }
	map back { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 10.0.0.1 . 80 : 10.0.0.2 . 8080 }; }
	set merged { type inet_service; flags interval; auto-merge; elements = { 1-10, 5-20, 30 }; }
	set commented { type ipv4_addr; comment "named"; elements = { 10.0.0.1 comment "one", 10.0.0.2 comment "two" }; }
	chain c {
		iifname @names ip saddr . meta l4proto . th dport @pairs accept
		ip6 saddr @six meta mark @marks accept
		ip saddr . meta mark @of meta l4proto @protos drop
	}
}
`,
  },
]
