# Why a packet died. Each mistake is made on purpose, shown by what ping says, explained, and mended. On the simulated kernel, "why" tells
# the packet's way and its end; Linux does not say.
set -e
ip link set lo up
ip netns add web
ip link add web0 type veth peer name eth0 netns web
ip addr add 10.0.0.1/24 dev web0 && ip link set web0 up
ip -n web addr add 10.0.0.2/24 dev eth0

# The other end of the cable is down.
ping -c 1 -W 1 10.0.0.2 || why || true
ip -n web link set eth0 up
ping -c 1 -W 3 10.0.0.2

# There is no route back: what is asked arrives, its answer does not leave.
ip addr add 10.99.0.1/32 dev lo
ping -c 1 -W 1 -I 10.99.0.1 10.0.0.2 || why || true
ip -n web route add default via 10.0.0.1
ping -c 1 -W 1 -I 10.99.0.1 10.0.0.2

# It is too long for the far end's cable, and may not be cut into pieces.
ip link set web0 mtu 1400 && ip -n web link set eth0 mtu 1400
ping -c 1 -W 1 -s 1400 -M do 10.0.0.2 || why || true
ping -c 1 -W 1 -s 1372 -M do 10.0.0.2

# The address is nobody's.
ping -c 1 -W 4 10.0.0.77 || why || true
