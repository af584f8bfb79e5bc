// Scopes of IPv4 addresses and routes as numbers: a larger one is narrower. Source: linux/rtnetlink.h (RT_SCOPE_*).

export const SCOPES = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const
