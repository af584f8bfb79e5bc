// The netlink protocol's numbers, named as in the kernel: include/uapi/linux/netlink.h, and include/linux/socket.h for AF_* and
// SOL_NETLINK. The names keep their capitals so that they can be found there.

export const AF_UNSPEC = 0
export const AF_INET = 2
export const AF_BRIDGE = 7
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const SOL_NETLINK = 270
export const NETLINK_ROUTE = 0
export const NETLINK_SOCK_DIAG = 4
export const NETLINK_NETFILTER = 12

export const NETLINK_ADD_MEMBERSHIP = 1
export const NETLINK_LISTEN_ALL_NSID = 8
export const NETLINK_CAP_ACK = 10
export const NETLINK_EXT_ACK = 11
export const NETLINK_GET_STRICT_CHK = 12

export const NLMSG_HDRLEN = 16
export const NLMSG_ERROR = 2
export const NLMSG_DONE = 3
export const NLMSG_OVERRUN = 4

export const NLM_F_REQUEST = 1
export const NLM_F_ACK = 4
export const NLM_F_ECHO = 8
export const NLM_F_DUMP_INTR = 16
export const NLM_F_DUMP = 768
export const NLM_F_REPLACE = 256
export const NLM_F_EXCL = 512
export const NLM_F_CREATE = 1024
export const NLM_F_APPEND = 2048
export const NLM_F_CAPPED = 256
export const NLM_F_ACK_TLVS = 512

export const NLMSGERR_ATTR_MSG = 1
export const NLMSGERR_ATTR_OFFS = 2
export const NLMSGERR_ATTR_MISS_TYPE = 5

export const NLA_F_NESTED = 32768
export const NLA_F_NET_BYTEORDER = 16384
export const NLA_TYPE_MASK = 16383
export const NLA_HDRLEN = 4
