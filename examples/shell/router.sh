# A router between two networks, and a rule that sends one source another way.
set -e
ip netns add left && ip netns add right
ip link add l0 type veth peer name eth0 netns left
ip link add r0 type veth peer name eth0 netns right
ip addr add 10.1.0.1/24 dev l0 && ip link set l0 up
ip addr add 10.2.0.1/24 dev r0 && ip link set r0 up
ip -n left addr add 10.1.0.2/24 dev eth0 && ip -n left link set eth0 up
ip -n right addr add 10.2.0.2/24 dev eth0 && ip -n right link set eth0 up
ip -n left route add default via 10.1.0.1
ip -n right route add default via 10.2.0.1
sysctl -w net.ipv4.ip_forward=1
ip netns exec left ping -c 1 10.2.0.2

ip route add default via 10.2.0.2 table 100
ip rule add from 10.1.0.0/24 lookup 100 priority 1000
ip rule
ip route show table 100
