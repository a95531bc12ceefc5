/** How a live picture keeps close to now: pure rules, times in seconds of media time. */

export interface Range {
  readonly start: number
  readonly end: number
}

export interface Steer {
  /** Playback rate to hold; 1 where nothing needs correcting. */
  readonly rate: number
  /** Where to jump, or null to go on. */
  readonly seekTo: number | null
}

/** Measured on loopback: 0.15 s holds p95 under 200 ms; 0.05 s saves 90 ms and stalls now and then. */
export const TARGET_LAG_S = 0.15
export const START_LAG_S = 0.05
export const MAX_LAG_S = 1
/** While the first group of pictures still pours in, jump sooner than steering could catch up. */
export const SETTLE_S = 0.6
export const MAX_SETTLE_LAG_S = 0.35
export const MIN_RATE = 0.97
export const MAX_RATE = 1.1
export const MAX_TARGET_LAG_S = 0.6
export const TARGET_STEP_S = 0.08
/** A network that has been quiet this long earns its lag back, one step at a time. */
export const TARGET_EASE_AFTER_S = 30

const DEAD_BAND_S = 0.03
const GAIN_PER_S = 0.5
/** Rates that differ less than this sound and look the same; not setting them saves work. */
export const RATE_STEP = 0.01

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/** First position to play from: just before the newest picture, never before what is buffered. */
export function startAt(newest: Range): number {
  return Math.max(newest.start, newest.end - START_LAG_S)
}

/**
 * Rate and jump for a playhead against the newest buffered range.
 * A playhead outside that range (a gap in the stream, a new session) always jumps.
 */
export function steer(at: number, newest: Range, targetS: number, sinceStartS: number): Steer {
  const lag = newest.end - at
  const limit = sinceStartS < SETTLE_S ? Math.max(MAX_SETTLE_LAG_S, targetS + 0.1) : Math.max(MAX_LAG_S, targetS + 0.4)
  if (lag > limit || at < newest.start - 0.001 || lag < -limit) {
    return { rate: 1, seekTo: Math.max(newest.start, newest.end - targetS) }
  }
  const error = lag - targetS
  if (Math.abs(error) <= DEAD_BAND_S) return { rate: 1, seekTo: null }
  const rate = clamp(1 + GAIN_PER_S * error, MIN_RATE, MAX_RATE)
  return { rate: Math.round(rate / RATE_STEP) * RATE_STEP, seekTo: null }
}

/** The target after the player ran dry once: more room on a jittery line, up to a limit. */
export function targetAfterDry(targetS: number): number {
  return Math.min(MAX_TARGET_LAG_S, targetS + TARGET_STEP_S)
}

/** The target after a quiet while. */
export function targetAfterCalm(targetS: number): number {
  return Math.max(TARGET_LAG_S, targetS - TARGET_STEP_S)
}

/** What may be thrown away behind the playhead: [0, returned value), or null. Removes in steps, not each frame. */
export function removableEnd(at: number, firstStart: number, keepS: number): number | null {
  const end = at - keepS
  return firstStart < end - 2 ? end : null
}
