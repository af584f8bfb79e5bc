// The exit statuses, as `cnm --help` documents them.

export const EXIT = {
  ok: 0,
  /** An expectation was not met; the host is not as it should be. */
  unmet: 1,
  /** What was asked for cannot be, as things are. */
  refused: 1,
  /** The file or the command line is wrong. */
  wrong: 2,
  /** This machine or its kernel cannot do it. */
  machine: 3,
  /** A defect of ours (EX_SOFTWARE of sysexits(3)). */
  defect: 70,
} as const
