# The networks of "two-tier" as the commands that build them, for root.
#
# The namespace this runs in plays the host: bridges and firewall are made there. Give it one of its own:
#   ip netns add lab
#   ip -n lab link set lo up
#   cnm plan examples/two-tier/compose.yaml | nsenter --net=/run/netns/lab sh -e
# Try it: web pings api
#   ip netns exec cnm-two-tier-web-1 ping -c1 172.17.0.3
# Undo it:
#   cnm plan --undo examples/two-tier/compose.yaml | nsenter --net=/run/netns/lab sh
#   ip netns delete lab

# the host: forwarding, and the firewall that all networks share
nft -f - <<'EOF'
create table inet cnm
table inet cnm {
	set bridges {
		type ifname
		comment "the bridge of every network"
	}
	set internal {
		type ifname
		comment "bridges of networks that are not routed"
	}
	set within {
		type ifname . ifname
		comment "a bridge, twice: its containers may talk to each other"
	}
	set linked4 {
		type ifname . ipv4_addr . ipv4_addr . inet_proto . inet_service
		comment "a bridge, a container, another that it links to, and a port of that one"
	}
	set linked6 {
		type ifname . ipv6_addr . ipv6_addr . inet_proto . inet_service
		comment "a bridge, a container, another that it links to, and a port of that one"
	}
	set subnet4 {
		type ifname . ipv4_addr
		flags interval
		comment "a bridge and its subnet"
	}
	set subnet6 {
		type ifname . ipv6_addr
		flags interval
		comment "a bridge and its subnet"
	}
	set masquerade4 {
		type ipv4_addr
		flags interval
		comment "subnets that leave with an address of the host"
	}
	set masquerade6 {
		type ipv6_addr
		flags interval
		comment "subnets that leave with an address of the host"
	}
	map snat4 {
		type ipv4_addr : ipv4_addr
		flags interval
		comment "subnets that leave with this address of the host"
	}
	map snat6 {
		type ipv6_addr : ipv6_addr
		flags interval
		comment "subnets that leave with this address of the host"
	}
	set unprotected4 {
		type ifname
		comment "bridges that let in all IPv4"
	}
	set unprotected6 {
		type ifname
		comment "bridges that let in all IPv6"
	}
	set routed4 {
		type ifname
		comment "bridges whose containers have their ports open at their own addresses"
	}
	set routed6 {
		type ifname
		comment "bridges whose containers have their ports open at their own addresses"
	}
	set trusted {
		type ifname . ifname
		comment "an interface of the host, and a bridge whose open ports it leads to"
	}
	set open4 {
		type ipv4_addr . inet_proto . inet_service
		comment "a port of a container, at its own address"
	}
	set open6 {
		type ipv6_addr . inet_proto . inet_service
		comment "a port of a container, at its own address"
	}
	map publish4 {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
		comment "a host address and port, and the container behind it"
	}
	map publish6 {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
		comment "a host address and port, and the container behind it"
	}
	map publish4_any {
		type inet_proto . inet_service : ipv4_addr . inet_service
		comment "a port of every host address, and the container behind it"
	}
	map publish6_any {
		type inet_proto . inet_service : ipv6_addr . inet_service
		comment "a port of every host address, and the container behind it"
	}
	chain guard {
		type filter hook prerouting priority -300; policy accept;
		iifname @bridges ip daddr 127.0.0.0/8 drop comment "guard: a container may not speak to the loopback of the host"
	}
	chain publish {
		dnat ip to ip daddr . meta l4proto . th dport map @publish4 comment "publish: a port of one host address goes to its container"
		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @publish4_any comment "publish: a port of every host address goes to its container"
		ip6 daddr ::1 return comment "publish: the kernel cannot route from ::1 to a container"
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @publish6 comment "publish: a port of one host address goes to its container"
		meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @publish6_any comment "publish: a port of every host address goes to its container"
	}
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		fib daddr type local jump publish comment "publish: for an address of the host"
	}
	chain output {
		type nat hook output priority -100; policy accept;
		fib daddr type local jump publish comment "publish: for an address of the host"
	}
	chain forward {
		type filter hook forward priority 0; policy accept;
		ct state established,related accept comment "answers: part of a conversation that was allowed"
		iifname . oifname @within accept comment "within: containers of one network may talk"
		oifname . ip saddr . ip daddr . meta l4proto . th dport @linked4 accept comment "linked: a port of a container that this one links to"
		oifname . ip6 saddr . ip6 daddr . meta l4proto . th dport @linked6 accept comment "linked: a port of a container that this one links to"
		iifname @internal drop comment "internal: nothing leaves an internal network"
		oifname @internal drop comment "internal: nothing enters an internal network"
		oifname @bridges ct status dnat accept comment "published: sent here by a published port"
		meta nfproto ipv4 oifname @unprotected4 accept comment "unprotected: a network that everybody may enter"
		oifname @routed4 meta l4proto icmp accept comment "routed: containers are there for ICMP"
		oifname @routed4 ip daddr . meta l4proto . th dport @open4 accept comment "routed: a published port at the address of its container"
		iifname . oifname @trusted ip daddr . meta l4proto . th dport @open4 accept comment "trusted: a published port at the address of its container, for an interface that may"
		meta nfproto ipv6 oifname @unprotected6 accept comment "unprotected: a network that everybody may enter"
		oifname @routed6 meta l4proto ipv6-icmp accept comment "routed: containers are there for ICMP"
		oifname @routed6 ip6 daddr . meta l4proto . th dport @open6 accept comment "routed: a published port at the address of its container"
		iifname . oifname @trusted ip6 daddr . meta l4proto . th dport @open6 accept comment "trusted: a published port at the address of its container, for an interface that may"
		oifname @bridges drop comment "isolation: only published ports and answers enter a network"
	}
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname . ip saddr @subnet4 ct status dnat masquerade comment "hairpin: back into the network it came from, so answers must come back this way"
		oifname . ip saddr @subnet4 accept comment "nat: stays within its network"
		snat ip to ip saddr map @snat4 comment "snat: leaves its network with the address of the host that was chosen for it"
		ip saddr @masquerade4 masquerade comment "masquerade: leaves its network with an address of the host"
		oifname . ip6 saddr @subnet6 ct status dnat masquerade comment "hairpin: back into the network it came from, so answers must come back this way"
		oifname . ip6 saddr @subnet6 accept comment "nat: stays within its network"
		snat ip6 to ip6 saddr map @snat6 comment "snat: leaves its network with the address of the host that was chosen for it"
		ip6 saddr @masquerade6 masquerade comment "masquerade: leaves its network with an address of the host"
		ip saddr 127.0.0.0/8 oifname @bridges masquerade comment "loopback: a container could not answer 127.0.0.1"
	}
	chain skeleton_3 {
	}
}
EOF
sysctl -qw net.ipv4.ip_forward=1

# network "two-tier_front": its bridge, and its place in the firewall
nft -f - <<'EOF'
create element inet cnm bridges { "br-a2a7d1aff4d5" }
create element inet cnm masquerade4 { 172.17.0.0/16 }
create element inet cnm subnet4 { "br-a2a7d1aff4d5" . 172.17.0.0/16 }
create element inet cnm within { "br-a2a7d1aff4d5" . "br-a2a7d1aff4d5" }
EOF
ip link add name br-a2a7d1aff4d5 address 42:c4:02:cf:e9:36 up type bridge
ip link set dev br-a2a7d1aff4d5 alias cnm:network/a2a7d1aff4d5
ip address add 172.17.0.1/16 dev br-a2a7d1aff4d5
sysctl -qw net.ipv4.conf.br-a2a7d1aff4d5.route_localnet=1
sysctl -qw net.ipv6.conf.br-a2a7d1aff4d5.accept_ra=0

# network "two-tier_back": its bridge, and its place in the firewall
nft -f - <<'EOF'
create element inet cnm bridges { "br-845238b99a21" }
create element inet cnm masquerade4 { 172.18.0.0/16 }
create element inet cnm subnet4 { "br-845238b99a21" . 172.18.0.0/16 }
create element inet cnm within { "br-845238b99a21" . "br-845238b99a21" }
EOF
ip link add name br-845238b99a21 address b2:d6:0a:25:a2:28 up type bridge
ip link set dev br-845238b99a21 alias cnm:network/845238b99a21
ip address add 172.18.0.1/16 dev br-845238b99a21
sysctl -qw net.ipv4.conf.br-845238b99a21.route_localnet=1
sysctl -qw net.ipv6.conf.br-845238b99a21.accept_ra=0

# container "web": its namespace cnm-two-tier-web-1, and a cable for each network
ip netns add cnm-two-tier-web-1
nft -f - <<'EOF'
create element inet cnm publish4_any { tcp . 8080 : 172.17.0.2 . 80 }
EOF
ip -n cnm-two-tier-web-1 link set dev lo up
ip link add name veth2b2ecb23333 address f2:35:2b:82:95:79 mtu 1500 up type veth peer name eth0 netns cnm-two-tier-web-1
ip link set dev veth2b2ecb23333 alias cnm:endpoint/2b2ecb233332
ip -n cnm-two-tier-web-1 link set dev eth0 address 02:42:ac:11:00:02 up
ip link set dev veth2b2ecb23333 master br-a2a7d1aff4d5
bridge link set dev veth2b2ecb23333 isolated off hairpin on
ip -n cnm-two-tier-web-1 address add 172.17.0.2/16 dev eth0
ip -n cnm-two-tier-web-1 route add 0.0.0.0/0 via 172.17.0.1 dev eth0 proto 157
nsenter --net=/run/netns/cnm-two-tier-web-1 sysctl -qw net.ipv4.ip_forward=0

# container "api": its namespace cnm-two-tier-api-1, and a cable for each network
ip netns add cnm-two-tier-api-1
ip -n cnm-two-tier-api-1 link set dev lo up
ip link add name vethcb3ed83c5f4 address aa:fe:56:76:e5:aa mtu 1500 up type veth peer name eth1 netns cnm-two-tier-api-1
ip link set dev vethcb3ed83c5f4 alias cnm:endpoint/cb3ed83c5f40
ip link add name vethf4a6a7f9210 address ce:e6:b9:d4:37:4d mtu 1500 up type veth peer name eth0 netns cnm-two-tier-api-1
ip link set dev vethf4a6a7f9210 alias cnm:endpoint/f4a6a7f9210b
ip -n cnm-two-tier-api-1 link set dev eth0 address 02:42:ac:12:00:02 up
ip -n cnm-two-tier-api-1 link set dev eth1 address 02:42:ac:11:00:03 up
ip link set dev vethcb3ed83c5f4 master br-a2a7d1aff4d5
ip link set dev vethf4a6a7f9210 master br-845238b99a21
ip -n cnm-two-tier-api-1 address add 172.18.0.2/16 dev eth0
ip -n cnm-two-tier-api-1 address add 172.17.0.3/16 dev eth1
ip -n cnm-two-tier-api-1 route add 0.0.0.0/0 via 172.18.0.1 dev eth0 proto 157
nsenter --net=/run/netns/cnm-two-tier-api-1 sysctl -qw net.ipv4.ip_forward=0

# container "db": its namespace cnm-two-tier-db-1, and a cable for each network
ip netns add cnm-two-tier-db-1
ip -n cnm-two-tier-db-1 link set dev lo up
ip link add name veth4921f420665 address 22:5f:ba:9c:58:42 mtu 1500 up type veth peer name eth0 netns cnm-two-tier-db-1
ip link set dev veth4921f420665 alias cnm:endpoint/4921f420665d
ip -n cnm-two-tier-db-1 link set dev eth0 address 02:42:ac:12:00:03 up
ip link set dev veth4921f420665 master br-845238b99a21
ip -n cnm-two-tier-db-1 address add 172.18.0.3/16 dev eth0
ip -n cnm-two-tier-db-1 route add 0.0.0.0/0 via 172.18.0.1 dev eth0 proto 157
nsenter --net=/run/netns/cnm-two-tier-db-1 sysctl -qw net.ipv4.ip_forward=0
