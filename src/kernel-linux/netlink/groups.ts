// The groups that our links are in for a while (IFLA_GROUP): a mark that the kernel takes with the creation, unlike an alias, and
// by which it deletes many at once. The numbers are unlikely ones, so that they say whose the links are.

/** A link that has not yet got its alias. */
export const UNFINISHED = 0x636d0000

/** Groups that are to go: "cn" in the upper half; the lower half counts. */
const CONDEMNED = 0x636e0000
export const CONDEMNED_COUNT = 0x10000

export const condemnedGroup = (n: number): number => CONDEMNED + (n % CONDEMNED_COUNT)

export const isCondemned = (group: number | undefined): boolean =>
  group !== undefined && group >= CONDEMNED && group < CONDEMNED + CONDEMNED_COUNT
