// The drivers there are. A new driver is one folder and one line here.

import { bridge } from './bridge/bridge.ts'
import type { Driver } from './driver.ts'
import { ipvlan } from './ipvlan/ipvlan.ts'
import { macvlan } from './macvlan/macvlan.ts'
import { host, nullDriver } from './nothing.ts'

export type Drivers = ReadonlyMap<string, Driver>

export const DRIVERS: Drivers = new Map(
  [bridge, host, nullDriver, macvlan, ipvlan].map((driver) => [driver.type, driver]),
)
