// Ways to read options that several verbs share.

import { Option } from 'commander'

/** For an option that may be repeated. Commander hands over what came before; nothing did for the first. */
export const collect = (value: string, all: ReadonlyArray<string> | undefined): ReadonlyArray<string> => [
  ...(all ?? []),
  value,
]

/** How the kernel of this machine is reached; without it, as is best there. */
export const transportOption = (): Option =>
  new Option(
    '--transport <way>',
    "how the machine's kernel is reached: in process, or by the tools ip and bridge (default: netlink, if it can be loaded)",
  ).choices(['netlink', 'iproute2'])
