// How long packets may take. In the virtual machine (scripts/vm.mjs) everything is emulated, and they take their time.

export const isEmulated = process.env['CNM_EMULATED'] === '1'

/** For whoever listens (src/kernel-linux/traffic). */
export const PACE = isEmulated ? { quietMs: 400, afterwardsMs: 60, patienceMs: 10_000 } : {}
