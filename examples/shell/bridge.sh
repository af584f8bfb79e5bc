# A switch with two hosts: a bridge, and a veth to each namespace.
set -e
ip link add br0 type bridge
ip link set br0 up
ip netns add red && ip netns add blue
ip link add red0 type veth peer name eth0 netns red
ip link add blue0 type veth peer name eth0 netns blue
ip link set red0 master br0 up
ip link set blue0 master br0 up
ip -n red addr add 10.0.0.1/24 dev eth0 && ip -n red link set eth0 up
ip -n blue addr add 10.0.0.2/24 dev eth0 && ip -n blue link set eth0 up

bridge link
ip netns exec red ping -c 1 10.0.0.2

# Isolated ports of one bridge do not reach each other.
bridge link set dev red0 isolated on
bridge link set dev blue0 isolated on
ip -n red neigh flush dev eth0
ip netns exec red ping -c 1 -W 1 10.0.0.2 || echo "red does not reach blue"
