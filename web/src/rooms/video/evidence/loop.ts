/** A stretch of a recording that plays over and over; pure. Times: epoch ms. */
import type { Interval } from '../../../lib/player/intervals'

/** Where to go back to when the playhead has run out of the clip; null while it is inside. */
export function wrapAt(at: number, clip: Interval): number | null {
  return at >= clip.to || at < clip.from - 1_500 ? clip.from : null
}

/** What is recorded ends a little before now; a clip that reaches beyond it is cut there. */
const DURABLE_AFTER_MS = 3_000

export function recordedPart(clip: Interval, now: number): Interval {
  return { from: clip.from, to: Math.max(clip.from + 1_000, Math.min(clip.to, now - DURABLE_AFTER_MS)) }
}
