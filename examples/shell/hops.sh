# Routing hop by hop: left - r1 - r2 - right, each of them a namespace. Who answers an echo request depends on how many hops it may go.
set -e
ip netns add left && ip netns add r1 && ip netns add r2 && ip netns add right
ip -n left link add eth0 type veth peer name left0 netns r1
ip -n r1 link add mid1 type veth peer name mid0 netns r2
ip -n right link add eth0 type veth peer name right0 netns r2
ip -n left addr add 10.1.0.2/24 dev eth0 && ip -n left link set eth0 up
ip -n r1 addr add 10.1.0.1/24 dev left0 && ip -n r1 link set left0 up
ip -n r1 addr add 10.9.0.1/30 dev mid1 && ip -n r1 link set mid1 up
ip -n r2 addr add 10.9.0.2/30 dev mid0 && ip -n r2 link set mid0 up
ip -n r2 addr add 10.2.0.1/24 dev right0 && ip -n r2 link set right0 up
ip -n right addr add 10.2.0.2/24 dev eth0 && ip -n right link set eth0 up
ip -n left route add default via 10.1.0.1
ip -n right route add default via 10.2.0.1
ip -n r1 route add 10.2.0.0/24 via 10.9.0.2
ip netns exec r1 sysctl -qw net.ipv4.ip_forward=1
ip netns exec r2 sysctl -qw net.ipv4.ip_forward=1
ip -n left route get 10.2.0.2
ip -n r1 route get 10.2.0.2

# With one hop to go, the first router says that it is over; with two, the second. But r2 knows no way back yet, so nobody hears it.
ip netns exec left ping -c 1 -W 1 -t 1 10.2.0.2 || echo "r1 has the packet in hand"
ip netns exec left ping -c 1 -W 1 -t 2 10.2.0.2 || echo "r2 has it, and cannot say so"
ip -n r2 route add 10.1.0.0/24 via 10.9.0.1
ip netns exec left ping -c 1 -W 1 -t 2 10.2.0.2 || echo "now it can"
ip netns exec left ping -c 1 10.2.0.2

# traceroute asks with one hop, two hops, three hops, until the far end answers. (Where it is not installed, that is no end.)
ip netns exec left traceroute -n -q 1 10.2.0.2 || true
