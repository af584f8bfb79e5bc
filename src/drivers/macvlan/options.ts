// The macvlan driver's options beside the parent, with Docker's names and short ones.

import { MACVLAN_MODES, type MacvlanMode } from '../../kernel/rtnl/kind.ts'
import type { DriverConfig } from '../../model/types.ts'
import { type OptionSpec, readOneOf } from '../options.ts'

export type MacvlanOptions = Readonly<{
  /**
   * Who hears whom: all (`bridge`), nobody (`private`), those whom a switch outside sends back (`vepa`); or a single container
   * that has the device to itself (`passthru`).
   */
  mode: MacvlanMode
}>

export const SPECS: Readonly<Record<keyof MacvlanOptions, OptionSpec>> = {
  mode: {
    names: ['macvlan_mode', 'mode'],
    otherwise: 'bridge',
    read: readOneOf(MACVLAN_MODES),
    about:
      'who hears whom: all (bridge), nobody (private), those whom a switch outside sends back (vepa); or one container that has the device to itself (passthru)',
  },
}

/** A cast: the config was made from `SPECS`, whose readers give these types. */
export const macvlanOptions = (config: DriverConfig): MacvlanOptions => config as MacvlanOptions
