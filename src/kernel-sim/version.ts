// Versions of Linux. Where two of them differ, the rule that does asks `isSince`, with the first version that does as the newest does; what
// differs is listed in docs/known-differences.md.

/** 6.1 is { major: 6, minor: 1 }. */
export type Version = Readonly<{ major: number; minor: number }>

/** What is simulated unless somebody says otherwise. */
export const NEWEST: Version = { major: 6, minor: 18 }

export const isSince = (version: Version, major: number, minor: number): boolean =>
  version.major === major ? version.minor >= minor : version.major > major

/** As uname(2) has it: `6.1.0-56-amd64`. What is no version is the newest. */
export const versionOf = (release: string): Version => {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(release) ?? []
  return major === undefined || minor === undefined ? NEWEST : { major: Number(major), minor: Number(minor) }
}
