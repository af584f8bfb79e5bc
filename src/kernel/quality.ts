// What a segment between hosts does to frames, on either kernel. Source of the terms: tc-netem(8).

/**
 * `delayMs` of every frame, and up to `jitterMs` more. `loss`, `duplicate`, `reorder`: how probable each is, 0 to 1; a frame that is
 * overtaken comes `delayMs` later than it would. `bitsPerMs`: what a card's cable carries; null: anything at once.
 */
export type Quality = Readonly<{
  delayMs: number
  jitterMs: number
  loss: number
  duplicate: number
  reorder: number
  bitsPerMs: number | null
}>
