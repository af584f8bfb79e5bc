// The numbers of links, named as in the kernel: include/uapi/linux/if_link.h, if.h (IFF_*), if_arp.h (ARPHRD_*), veth.h and
// if_bridge.h (IFLA_BRIDGE_*, BRIDGE_*).

export const IFF_UP = 1
export const IFF_BROADCAST = 2
export const IFF_LOOPBACK = 8
export const IFF_RUNNING = 64
export const IFF_NOARP = 128
export const IFF_PROMISC = 256
export const IFF_ALLMULTI = 512
export const IFF_MULTICAST = 4096
export const IFF_LOWER_UP = 65536
export const ARPHRD_ETHER = 1
export const ARPHRD_LOOPBACK = 772

export const IFLA_ADDRESS = 1
export const IFLA_BROADCAST = 2
export const IFLA_IFNAME = 3
export const IFLA_MTU = 4
export const IFLA_LINK = 5
export const IFLA_QDISC = 6
export const IFLA_MASTER = 10
export const IFLA_PROTINFO = 12
export const IFLA_TXQLEN = 13
export const IFLA_OPERSTATE = 16
export const IFLA_LINKINFO = 18
export const IFLA_NET_NS_PID = 19
export const IFLA_IFALIAS = 20
export const IFLA_AF_SPEC = 26
export const IFLA_GROUP = 27
export const IFLA_NET_NS_FD = 28
export const IFLA_EXT_MASK = 29
export const IFLA_PROMISCUITY = 30
export const IFLA_NUM_TX_QUEUES = 31
export const IFLA_NUM_RX_QUEUES = 32
export const IFLA_CARRIER = 33
export const IFLA_LINK_NETNSID = 37
export const IFLA_NEW_NETNSID = 45
export const IFLA_TARGET_NETNSID = 46
export const IFLA_NEW_IFINDEX = 49
export const IFLA_MIN_MTU = 50
export const IFLA_MAX_MTU = 51

export const IFLA_INFO_KIND = 1
export const IFLA_INFO_DATA = 2
export const IFLA_INFO_SLAVE_KIND = 4
export const IFLA_INFO_SLAVE_DATA = 5

export const IFLA_INET6_ADDR_GEN_MODE = 8
export const IN6_ADDR_GEN_MODE_EUI64 = 0
export const IN6_ADDR_GEN_MODE_NONE = 1
export const IN6_ADDR_GEN_MODE_STABLE_PRIVACY = 2
export const IN6_ADDR_GEN_MODE_RANDOM = 3

export const VETH_INFO_PEER = 1

export const IFLA_BR_FORWARD_DELAY = 1
export const IFLA_BR_HELLO_TIME = 2
export const IFLA_BR_MAX_AGE = 3
export const IFLA_BR_AGEING_TIME = 4
export const IFLA_BR_STP_STATE = 5
export const IFLA_BR_PRIORITY = 6
export const IFLA_BR_VLAN_FILTERING = 7
export const IFLA_BR_VLAN_PROTOCOL = 8
export const IFLA_BR_GROUP_FWD_MASK = 9
export const IFLA_BR_GROUP_ADDR = 20
export const IFLA_BR_MCAST_ROUTER = 22
export const IFLA_BR_MCAST_SNOOPING = 23
export const IFLA_BR_MCAST_QUERIER = 25
export const IFLA_BR_NF_CALL_IPTABLES = 36
export const IFLA_BR_NF_CALL_IP6TABLES = 37
export const IFLA_BR_NF_CALL_ARPTABLES = 38
export const IFLA_BR_VLAN_DEFAULT_PVID = 39
export const IFLA_BR_MCAST_IGMP_VERSION = 43
export const IFLA_BR_MCAST_MLD_VERSION = 44

export const IFLA_BRPORT_STATE = 1
export const IFLA_BRPORT_PRIORITY = 2
export const IFLA_BRPORT_COST = 3
export const IFLA_BRPORT_MODE = 4
export const IFLA_BRPORT_GUARD = 5
export const IFLA_BRPORT_PROTECT = 6
export const IFLA_BRPORT_FAST_LEAVE = 7
export const IFLA_BRPORT_LEARNING = 8
export const IFLA_BRPORT_UNICAST_FLOOD = 9
export const IFLA_BRPORT_PROXYARP = 10
export const IFLA_BRPORT_FLUSH = 24
export const IFLA_BRPORT_MULTICAST_ROUTER = 25
export const IFLA_BRPORT_MCAST_FLOOD = 27
export const IFLA_BRPORT_MCAST_TO_UCAST = 28
export const IFLA_BRPORT_VLAN_TUNNEL = 29
export const IFLA_BRPORT_BCAST_FLOOD = 30
export const IFLA_BRPORT_GROUP_FWD_MASK = 31
export const IFLA_BRPORT_NEIGH_SUPPRESS = 32
export const IFLA_BRPORT_ISOLATED = 33
export const IFLA_BRPORT_LOCKED = 39

export const IFLA_BRIDGE_FLAGS = 0
export const IFLA_BRIDGE_VLAN_INFO = 2
export const BRIDGE_FLAGS_MASTER = 1
export const BRIDGE_FLAGS_SELF = 2
export const BRIDGE_VLAN_INFO_MASTER = 1
export const BRIDGE_VLAN_INFO_PVID = 2
export const BRIDGE_VLAN_INFO_UNTAGGED = 4
export const BRIDGE_VLAN_INFO_RANGE_BEGIN = 8
export const BRIDGE_VLAN_INFO_RANGE_END = 16
export const BRIDGE_VLAN_INFO_BRENTRY = 32

export const IFLA_VLAN_ID = 1
export const IFLA_VLAN_FLAGS = 2
export const IFLA_VLAN_PROTOCOL = 5

export const IFLA_MACVLAN_MODE = 1
export const IFLA_MACVLAN_FLAGS = 2
export const MACVLAN_MODE_PRIVATE = 1
export const MACVLAN_MODE_VEPA = 2
export const MACVLAN_MODE_BRIDGE = 4
export const MACVLAN_MODE_PASSTHRU = 8

export const IFLA_TUN_TYPE = 3
export const IFLA_IPVLAN_MODE = 1
export const IFLA_IPVLAN_FLAGS = 2
export const IPVLAN_MODE_L2 = 0
export const IPVLAN_MODE_L3 = 1
export const IPVLAN_MODE_L3S = 2
export const IPVLAN_F_PRIVATE = 1
export const IPVLAN_F_VEPA = 2

export const IFLA_VXLAN_ID = 1
export const IFLA_VXLAN_GROUP = 2
export const IFLA_VXLAN_LINK = 3
export const IFLA_VXLAN_LOCAL = 4
export const IFLA_VXLAN_TTL = 5
export const IFLA_VXLAN_TOS = 6
export const IFLA_VXLAN_LEARNING = 7
export const IFLA_VXLAN_AGEING = 8
export const IFLA_VXLAN_LIMIT = 9
export const IFLA_VXLAN_PROXY = 11
export const IFLA_VXLAN_RSC = 12
export const IFLA_VXLAN_L2MISS = 13
export const IFLA_VXLAN_L3MISS = 14
export const IFLA_VXLAN_PORT = 15
export const IFLA_VXLAN_GROUP6 = 16
export const IFLA_VXLAN_LOCAL6 = 17
export const IFLA_VXLAN_UDP_CSUM = 18
export const IFLA_VXLAN_UDP_ZERO_CSUM6_TX = 19
export const IFLA_VXLAN_UDP_ZERO_CSUM6_RX = 20
export const IFLA_VXLAN_COLLECT_METADATA = 25
export const IFLA_VXLAN_DF = 29

// include/uapi/linux/if_bridge.h
export const BR_STATE_DISABLED = 0
