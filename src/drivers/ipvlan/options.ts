// The ipvlan driver's options beside the parent, with Docker's names and short ones.

import { IPVLAN_FLAGS, IPVLAN_MODES, type IpvlanFlag, type IpvlanMode } from '../../kernel/rtnl/kind.ts'
import type { DriverConfig } from '../../model/types.ts'
import { type OptionSpec, readOneOf } from '../options.ts'

export type IpvlanOptions = Readonly<{
  /** `l2`: as on the wire; `l3`: the host routes for them, and they hear no broadcasts; `l3s`: as `l3`, through the host's netfilter. */
  mode: IpvlanMode
  /** Who hears whom on the parent: all (`bridge`), nobody (`private`), those whom a switch outside sends back (`vepa`). */
  flag: IpvlanFlag
}>

export const SPECS: Readonly<Record<keyof IpvlanOptions, OptionSpec>> = {
  mode: {
    names: ['ipvlan_mode', 'mode'],
    otherwise: 'l2',
    read: readOneOf(IPVLAN_MODES),
    about:
      'l2: as on the wire; l3: the host routes for them, and they hear no broadcasts; l3s: as l3, through the filters of the host',
  },
  flag: {
    names: ['ipvlan_flag', 'flag'],
    otherwise: 'bridge',
    read: readOneOf(IPVLAN_FLAGS),
    about: 'who hears whom: all (bridge), nobody (private), those whom a switch outside sends back (vepa)',
  },
}

/** A cast: the config was made from `SPECS`, whose readers give these types. */
export const ipvlanOptions = (config: DriverConfig): IpvlanOptions => config as IpvlanOptions
