// The numbers of addresses, routes, rules, neighbours and namespace ids, named as in the kernel: include/uapi/linux/if_addr.h,
// rtnetlink.h, fib_rules.h, neighbour.h, net_namespace.h.

export const IFA_ADDRESS = 1
export const IFA_LOCAL = 2
export const IFA_LABEL = 3
export const IFA_BROADCAST = 4
export const IFA_CACHEINFO = 6
export const IFA_FLAGS = 8
export const IFA_RT_PRIORITY = 9
export const IFA_TARGET_NETNSID = 10
export const IFA_PROTO = 11

export const IFA_F_SECONDARY = 1
export const IFA_F_NODAD = 2
export const IFA_F_OPTIMISTIC = 4
export const IFA_F_DADFAILED = 8
export const IFA_F_HOMEADDRESS = 16
export const IFA_F_DEPRECATED = 32
export const IFA_F_TENTATIVE = 64
export const IFA_F_PERMANENT = 128
export const IFA_F_MANAGETEMPADDR = 256
export const IFA_F_NOPREFIXROUTE = 512
export const IFA_F_MCAUTOJOIN = 1024
export const IFA_F_STABLE_PRIVACY = 2048

export const RTA_DST = 1
export const RTA_SRC = 2
export const RTA_IIF = 3
export const RTA_OIF = 4
export const RTA_GATEWAY = 5
export const RTA_PRIORITY = 6
export const RTA_PREFSRC = 7
export const RTA_METRICS = 8
export const RTA_MULTIPATH = 9
export const RTA_TABLE = 15
export const RTA_MARK = 16
export const RTA_VIA = 18
export const RTA_PREF = 20
export const RTA_EXPIRES = 23
export const RTA_NH_ID = 30
export const RTAX_MTU = 2
export const RTAX_ADVMSS = 8
export const RTAX_HOPLIMIT = 10

export const RTN_UNSPEC = 0
export const RTN_UNICAST = 1
export const RTN_LOCAL = 2
export const RTN_BROADCAST = 3
export const RTN_ANYCAST = 4
export const RTN_MULTICAST = 5
export const RTN_BLACKHOLE = 6
export const RTN_UNREACHABLE = 7
export const RTN_PROHIBIT = 8
export const RTN_THROW = 9

export const RTPROT_UNSPEC = 0
export const RTPROT_REDIRECT = 1
export const RTPROT_KERNEL = 2
export const RTPROT_BOOT = 3
export const RTPROT_STATIC = 4
export const RTPROT_RA = 9

export const RT_SCOPE_UNIVERSE = 0
export const RT_SCOPE_SITE = 200
export const RT_SCOPE_LINK = 253
export const RT_SCOPE_HOST = 254
export const RT_SCOPE_NOWHERE = 255
export const RT_TABLE_UNSPEC = 0
export const RT_TABLE_COMPAT = 252
export const RT_TABLE_DEFAULT = 253
export const RT_TABLE_MAIN = 254
export const RT_TABLE_LOCAL = 255

export const RTM_F_CLONED = 512
export const RTNH_F_DEAD = 1
export const RTNH_F_PERVASIVE = 2
export const RTNH_F_ONLINK = 4
export const RTNH_F_OFFLOAD = 8
export const RTNH_F_LINKDOWN = 16
export const RTNH_F_UNRESOLVED = 32
export const RTNH_F_TRAP = 64

export const FRA_DST = 1
export const FRA_SRC = 2
export const FRA_IIFNAME = 3
export const FRA_GOTO = 4
export const FRA_PRIORITY = 6
export const FRA_FWMARK = 10
export const FRA_SUPPRESS_IFGROUP = 13
export const FRA_SUPPRESS_PREFIXLEN = 14
export const FRA_TABLE = 15
export const FRA_FWMASK = 16
export const FRA_OIFNAME = 17
export const FRA_L3MDEV = 19
export const FRA_PROTOCOL = 21
export const FRA_IP_PROTO = 22

export const FIB_RULE_PERMANENT = 1
export const FIB_RULE_INVERT = 2
export const FR_ACT_TO_TBL = 1
export const FR_ACT_GOTO = 2
export const FR_ACT_NOP = 3
export const FR_ACT_BLACKHOLE = 6
export const FR_ACT_UNREACHABLE = 7
export const FR_ACT_PROHIBIT = 8

export const NDA_DST = 1
export const NDA_LLADDR = 2
export const NDA_VLAN = 5
export const NDA_PORT = 6
export const NDA_VNI = 7
export const NDA_IFINDEX = 8
export const NDA_MASTER = 9
export const NDA_LINK_NETNSID = 10
export const NDA_SRC_VNI = 11
export const NDA_PROTOCOL = 12
export const NDA_NH_ID = 13
export const NDA_FLAGS_EXT = 15

export const NTF_USE = 1
export const NTF_SELF = 2
export const NTF_MASTER = 4
export const NTF_PROXY = 8
export const NTF_EXT_LEARNED = 16
export const NTF_OFFLOADED = 32
export const NTF_STICKY = 64
export const NTF_ROUTER = 128

export const NUD_NONE = 0
export const NUD_INCOMPLETE = 1
export const NUD_REACHABLE = 2
export const NUD_STALE = 4
export const NUD_DELAY = 8
export const NUD_PROBE = 16
export const NUD_FAILED = 32
export const NUD_NOARP = 64
export const NUD_PERMANENT = 128

export const NETNSA_NSID = 1
export const NETNSA_PID = 2
export const NETNSA_FD = 3
export const NETNSA_TARGET_NSID = 4
export const NETNSA_CURRENT_NSID = 5
export const NETNSA_NSID_NOT_ASSIGNED = -1
