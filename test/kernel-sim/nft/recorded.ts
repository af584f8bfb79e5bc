// What nft 1.0.6 on Linux 6.18 said to each command of session.ts, in a namespace of its own. `session.test.ts` compares it with
// ours, and, where there is a kernel, with the real one again.

export type Recorded = Readonly<{ status: number; stdout: string; error: string | null }>

export const RECORDED: ReadonlyArray<Recorded> = [
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter
table inet my_table
table ip6 six
`,
    error: null,
  },
  {
    status: 0,
    stdout: `table ip filter
table inet my_table
table ip6 six
`,
    error: null,
  },
  { status: 0, stdout: 'table ip6 six\n', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ct state established,related accept # handle 8
		ip protocol icmp drop comment "no pings" # handle 10
		iif "lo" accept # handle 9
		tcp dport 22 accept # handle 5
		ip saddr 192.168.1.0/24 tcp dport { 22, 80, 443 } counter packets 0 bytes 0 accept # handle 7
	}
}
`,
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 1, stdout: '', error: 'Could not process rule: No such file or directory' },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
		udp dport 53 accept
		ip protocol icmp drop comment "no pings"
		iif "lo" accept
		tcp dport { 22, 2222 } accept
		ip saddr 192.168.1.0/24 tcp dport { 22, 80, 443 } counter packets 0 bytes 0 accept
		udp sport 67-68 udp dport 67-68 accept
	}

	chain OUTPUT {
		type filter hook output priority filter; policy accept;
		ip daddr 8.8.8.8 counter packets 0 bytes 0
	}

	chain TCP {
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout: `table ip filter { # handle 1
	chain INPUT { # handle 1
		type filter hook input priority filter; policy accept;
		ct state established,related accept # handle 8
		udp dport 53 accept # handle 11
		ip protocol icmp drop comment "no pings" # handle 10
		iif "lo" accept # handle 9
		tcp dport { 22, 2222 } accept # handle 5
		ip saddr 192.168.1.0/24 tcp dport { 22, 80, 443 } counter packets 0 bytes 0 accept # handle 7
		udp sport 67-68 udp dport 67-68 accept # handle 13
	}

	chain OUTPUT { # handle 2
		type filter hook output priority filter; policy accept;
		ip daddr 8.8.8.8 counter packets 0 bytes 0 # handle 4
	}

	chain TCP { # handle 3
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "ip", "name": "filter", "handle": 1}}, {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "OUTPUT", "handle": 2, "type": "filter", "hook": "output", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "TCP", "handle": 3}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 8, "expr": [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 11, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 10, "comment": "no pings", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": "icmp"}}, {"drop": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 9, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 5, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, 2222]}}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 7, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "192.168.1.0", "len": 24}}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, 80, 443]}}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 13, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "sport"}}, "right": {"range": [67, 68]}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [67, 68]}}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "OUTPUT", "handle": 4, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "8.8.8.8"}}, {"counter": {"packets": 0, "bytes": 0}}]}}]}\n',
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"chain": {"family": "ip", "table": "filter", "name": "OUTPUT", "handle": 2, "type": "filter", "hook": "output", "prio": 0, "policy": "accept"}}, {"rule": {"family": "ip", "table": "filter", "chain": "OUTPUT", "handle": 4, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "8.8.8.8"}}, {"counter": {"packets": 0, "bytes": 0}}]}}]}\n',
    error: null,
  },
  {
    status: 0,
    stdout: `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
	}
	chain OUTPUT {
		type filter hook output priority filter; policy accept;
	}
	chain TCP {
	}
}
table inet my_table {
}
table ip6 six {
}
`,
    error: null,
  },
  {
    status: 0,
    stdout: `table ip6 six {
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "OUTPUT", "handle": 2, "type": "filter", "hook": "output", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "TCP", "handle": 3}}]}\n',
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table inet my_table {
	set my_set {
		type ipv4_addr
		flags interval
		comment "an example"
		elements = { 10.0.0.0/8, 192.0.2.1,
			     198.51.100.1-198.51.100.9 }
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "my_set", "table": "my_table", "type": "ipv4_addr", "handle": 6, "comment": "an example", "flags": ["interval"], "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, "192.0.2.1", {"range": ["198.51.100.1", "198.51.100.9"]}]}}]}\n',
    error: null,
  },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
}
table inet my_table {
	set my_set {
		type ipv4_addr
		flags interval
		comment "an example"
		elements = { 10.0.0.0/8, 198.51.100.1-198.51.100.9 }
	}
}
table ip6 six {
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"set": {"family": "inet", "name": "my_set", "table": "my_table", "type": "ipv4_addr", "handle": 6, "comment": "an example", "flags": ["interval"], "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"range": ["198.51.100.1", "198.51.100.9"]}]}}]}\n',
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
}
table inet my_table {
	map my_vmap {
		type inet_service : verdict
		elements = { 22 : accept, 80 : jump web }
	}
}
table ip6 six {
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"map": {"family": "inet", "name": "my_vmap", "table": "my_table", "type": "inet_service", "handle": 10, "map": "verdict", "elem": [[22, {"accept": null}], [80, {"jump": {"target": "web"}}]]}}]}\n',
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table inet my_table {
	counter https {
		packets 0 bytes 0
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"counter": {"family": "inet", "name": "https", "table": "my_table", "handle": 13, "packets": 0, "bytes": 0}}]}\n',
    error: null,
  },
  {
    status: 0,
    stdout: `table inet my_table {
	counter https {
		packets 0 bytes 0
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout: `table inet my_table {
	counter https {
		packets 0 bytes 0
	}
}
`,
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 80 dnat to 10.0.0.2:8080
		dnat to tcp dport map { 8080 : 10.0.0.1, 8081 : 10.0.0.2 }
		dnat to numgen inc mod 2 map { 0 : 10.0.0.3, 1 : 10.0.0.4 }
		tcp dport 8022 redirect to :22
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr 10.0.0.0/24 oifname "eth0" masquerade
		snat to 203.0.113.1-203.0.113.4 persistent
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "ip", "name": "nat", "handle": 4}}, {"chain": {"family": "ip", "table": "nat", "name": "prerouting", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}}, {"chain": {"family": "ip", "table": "nat", "name": "postrouting", "handle": 2, "type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"}}, {"rule": {"family": "ip", "table": "nat", "chain": "prerouting", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}, {"dnat": {"addr": "10.0.0.2", "port": 8080}}]}}, {"rule": {"family": "ip", "table": "nat", "chain": "prerouting", "handle": 5, "expr": [{"dnat": {"addr": {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": {"set": [[8080, "10.0.0.1"], [8081, "10.0.0.2"]]}}}}}]}}, {"rule": {"family": "ip", "table": "nat", "chain": "prerouting", "handle": 7, "expr": [{"dnat": {"addr": {"map": {"key": {"numgen": {"mode": "inc", "mod": 2, "offset": 0}}, "data": {"set": [[0, "10.0.0.3"], [1, "10.0.0.4"]]}}}}}]}}, {"rule": {"family": "ip", "table": "nat", "chain": "prerouting", "handle": 8, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8022}}, {"redirect": {"port": 22}}]}}, {"rule": {"family": "ip", "table": "nat", "chain": "postrouting", "handle": 9, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "10.0.0.0", "len": 24}}}}, {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": "eth0"}}, {"masquerade": null}]}}, {"rule": {"family": "ip", "table": "nat", "chain": "postrouting", "handle": 10, "expr": [{"snat": {"addr": {"range": ["203.0.113.1", "203.0.113.4"]}, "flags": "persistent"}}]}}]}\n',
    error: null,
  },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
	chain tcp_chain {
	}
}
`,
    error: null,
  },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy accept;
		ct state established,related accept
		udp dport 53 accept
		ip protocol icmp drop comment "no pings"
		iif "lo" accept
		tcp dport { 22, 2222 } accept
		ip saddr 192.168.1.0/24 tcp dport { 22, 80, 443 } counter packets 0 bytes 0 accept
		udp sport 67-68 udp dport 67-68 accept
	}

	chain OUTPUT {
		type filter hook output priority filter; policy accept;
	}

	chain tcp_chain {
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout: `table inet my_table { # handle 2
	comment "of mine"
	counter https { # handle 13
		packets 0 bytes 0
	}

	set my_set { # handle 6
		type ipv4_addr
		flags interval
		comment "an example"
	}

	set pairs { # handle 8
		type ipv4_addr . inet_service
		elements = { 10.0.0.1 . 80 }
	}

	map my_vmap { # handle 10
		type inet_service : verdict
		elements = { 22 : accept, 80 : jump web }
	}

	chain my_filter_chain { # handle 1
		type filter hook input priority filter + 1; policy drop;
		tcp flags fin,syn / fin,syn drop # handle 2
		icmp type echo-request limit rate 5/second accept # handle 3
		ct state vmap { invalid : drop, established : accept, related : accept } # handle 5
		ip saddr @my_set drop # handle 7
		ip saddr . tcp dport @pairs accept # handle 9
		tcp dport vmap @my_vmap # handle 12
	}

	chain web { # handle 11
		tcp dport 443 counter name "https" # handle 14
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "ip", "name": "filter", "handle": 1}}, {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "OUTPUT", "handle": 2, "type": "filter", "hook": "output", "prio": 0, "policy": "accept"}}, {"chain": {"family": "ip", "table": "filter", "name": "tcp_chain", "handle": 3}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 8, "expr": [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 11, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 10, "comment": "no pings", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": "icmp"}}, {"drop": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 9, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 5, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, 2222]}}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 7, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "192.168.1.0", "len": 24}}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [22, 80, 443]}}}, {"counter": {"packets": 0, "bytes": 0}}, {"accept": null}]}}, {"rule": {"family": "ip", "table": "filter", "chain": "INPUT", "handle": 13, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "sport"}}, "right": {"range": [67, 68]}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": {"range": [67, 68]}}}, {"accept": null}]}}, {"table": {"family": "inet", "name": "my_table", "handle": 2}}, {"counter": {"family": "inet", "name": "https", "table": "my_table", "handle": 13, "packets": 0, "bytes": 0}}, {"set": {"family": "inet", "name": "my_set", "table": "my_table", "type": "ipv4_addr", "handle": 6, "comment": "an example", "flags": ["interval"]}}, {"set": {"family": "inet", "name": "pairs", "table": "my_table", "type": ["ipv4_addr", "inet_service"], "handle": 8, "elem": [{"concat": ["10.0.0.1", 80]}]}}, {"map": {"family": "inet", "name": "my_vmap", "table": "my_table", "type": "inet_service", "handle": 10, "map": "verdict", "elem": [[22, {"accept": null}], [80, {"jump": {"target": "web"}}]]}}, {"chain": {"family": "inet", "table": "my_table", "name": "my_filter_chain", "handle": 1, "type": "filter", "hook": "input", "prio": 1, "policy": "drop"}}, {"chain": {"family": "inet", "table": "my_table", "name": "web", "handle": 11}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 2, "expr": [{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn"]]}, "right": ["fin", "syn"]}}, {"drop": null}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "icmp", "field": "type"}}, "right": "echo-request"}}, {"limit": {"rate": 5, "burst": 5, "per": "second"}}, {"accept": null}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 5, "expr": [{"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["invalid", {"drop": null}], ["established", {"accept": null}], ["related", {"accept": null}]]}}}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 7, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@my_set"}}, {"drop": null}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 9, "expr": [{"match": {"op": "==", "left": {"concat": [{"payload": {"protocol": "ip", "field": "saddr"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]}, "right": "@pairs"}}, {"accept": null}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "my_filter_chain", "handle": 12, "expr": [{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@my_vmap"}}]}}, {"rule": {"family": "inet", "table": "my_table", "chain": "web", "handle": 14, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}, {"counter": "https"}]}}, {"table": {"family": "ip6", "name": "six", "handle": 3}}, {"table": {"family": "ip", "name": "nat", "handle": 4}}, {"chain": {"family": "ip", "table": "nat", "name": "prerouting", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}}, {"chain": {"family": "ip", "table": "nat", "name": "postrouting", "handle": 2, "type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"}}]}\n',
    error: null,
  },
  { status: 1, stdout: '', error: 'Could not process rule: Device or resource busy' },
  { status: 1, stdout: '', error: 'Could not process rule: No such file or directory' },
  { status: 1, stdout: '', error: 'Could not process rule: Device or resource busy' },
  { status: 1, stdout: '', error: 'No such file or directory' },
  { status: 1, stdout: '', error: 'Could not process rule: File exists' },
  { status: 1, stdout: '', error: 'Could not process rule: No such file or directory' },
  { status: 1, stdout: '', error: 'Prefix length 33 is invalid for type of 32 bits width' },
  { status: 1, stdout: '', error: 'Service out of range' },
  { status: 1, stdout: '', error: 'syntax error, unexpected string' },
  { status: 1, stdout: '', error: 'conflicting intervals specified' },
  { status: 1, stdout: '', error: 'Could not process rule: Operation not supported' },
  { status: 1, stdout: '', error: 'Could not process rule: Operation not supported' },
  { status: 1, stdout: '', error: 'Could not process rule: No such file or directory' },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  { status: 0, stdout: '', error: null },
  {
    status: 0,
    stdout: `table inet firewall {
	set blocked {
		type ipv4_addr
		timeout 1h
	}

	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ip saddr @blocked drop
		ip saddr { 10.1.0.0-10.2.255.255 } tcp dport { 53, 80 } accept
		iifname "eth0" counter packets 0 bytes 0 reject
	}
}
`,
    error: null,
  },
  {
    status: 0,
    stdout:
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, {"table": {"family": "inet", "name": "firewall", "handle": 5}}, {"set": {"family": "inet", "name": "blocked", "table": "firewall", "type": "ipv4_addr", "handle": 2, "flags": ["timeout"], "timeout": 3600}}, {"chain": {"family": "inet", "table": "firewall", "name": "input", "handle": 1, "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}, {"rule": {"family": "inet", "table": "firewall", "chain": "input", "handle": 3, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iif"}}, "right": "lo"}}, {"accept": null}]}}, {"rule": {"family": "inet", "table": "firewall", "chain": "input", "handle": 4, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@blocked"}}, {"drop": null}]}}, {"rule": {"family": "inet", "table": "firewall", "chain": "input", "handle": 7, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"set": [{"range": ["10.1.0.0", "10.2.255.255"]}]}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [53, 80]}}}, {"accept": null}]}}, {"rule": {"family": "inet", "table": "firewall", "chain": "input", "handle": 8, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, {"counter": {"packets": 0, "bytes": 0}}, {"reject": {"type": "icmpx", "expr": "port-unreachable"}}]}}]}\n',
    error: null,
  },
]
