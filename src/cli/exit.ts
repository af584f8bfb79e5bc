// The exit statuses, as `cnm --help` documents them.

export const EXIT = {
  ok: 0,
  /** An expectation was not met. */
  unmet: 1,
  /** The file or the command line is wrong. */
  wrong: 2,
  /** This machine or its kernel cannot do it. */
  machine: 3,
  /** A defect of ours (EX_SOFTWARE of sysexits(3)). */
  defect: 70,
} as const
