# Two machines and an overlay between them: a VXLAN carries the frames of both bridges, so that web on one and db on the other are on one
# network, whatever is between the machines.
set -e
segment add wire
host add left && host add right
plug left eth0 wire && plug right eth0 wire

host left
ip addr add 192.168.0.1/24 dev eth0 && ip link set eth0 up
ip link add br0 type bridge && ip link set br0 up
ip link add vx0 type vxlan id 42 local 192.168.0.1 remote 192.168.0.2 dstport 4789
ip link set vx0 master br0 up
ip netns add web
ip link add web0 type veth peer name eth0 netns web
ip link set web0 master br0 up
ip -n web addr add 10.42.0.1/24 dev eth0 && ip -n web link set eth0 mtu 1450 up

host right
ip addr add 192.168.0.2/24 dev eth0 && ip link set eth0 up
ip link add br0 type bridge && ip link set br0 up
ip link add vx0 type vxlan id 42 local 192.168.0.2 remote 192.168.0.1 dstport 4789
ip link set vx0 master br0 up
ip netns add db
ip link add db0 type veth peer name eth0 netns db
ip link set db0 master br0 up
ip -n db addr add 10.42.0.2/24 dev eth0 && ip -n db link set eth0 mtu 1450 up

# The machines see datagrams of UDP; web and db see each other.
tcpdump -i eth0 -n -t udp port 4789 and host 192.168.0.1 &
ip netns exec db ping -c 1 10.42.0.1
sleep 1
kill %1

# A machine that is cut off takes its part of the overlay with it.
cut wire left
ip netns exec db ping -c 1 -W 1 10.42.0.1 || echo "web is out of reach"
heal wire
ip netns exec db ping -c 1 -W 4 10.42.0.1

# Half of all that is sent is lost. A kernel without netem cannot do that, and says so.
segment set wire loss 50% && ip netns exec db ping -c 20 -i 0.2 -W 1 -q 10.42.0.1 || true
