# Two hosts on one cable: a network namespace and this one, joined by a veth.
set -e
ip link set lo up
ip netns add red
ip link add veth0 type veth peer name veth1 netns red
ip addr add 10.1.1.1/24 dev veth0
ip link set veth0 up
ip -n red addr add 10.1.1.2/24 dev veth1
ip -n red link set veth1 up
ip -n red link set lo up

ip -br addr
ip -n red route
ping -c 1 10.1.1.2
