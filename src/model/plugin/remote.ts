// Which networks are a plugin's: those whose driver is a remote one. Such a driver's configuration says so and nothing else,
// for the model must know it without asking a driver; the plugin has the driver's name.

import type { DriverConfig, Network } from '../types.ts'

export const REMOTE: DriverConfig = { remote: true }

export const isRemote = ({ config }: Network): boolean => config['remote'] === true
