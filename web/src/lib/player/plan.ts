/** What playback does next: which window to fetch, when to ask for a new look, when to jump. Pure; times in epoch ms. */
import { endOfRun, findInterval, type Interval } from './intervals'

export type Frames = 'all' | 'key'
export const RATES = [1, 2, 4, 8, 16] as const
export type Rate = (typeof RATES)[number]

/** From this rate on only key frames are fetched: the eye can't follow more, nor should the disks. */
export const KEY_FRAMES_FROM_RATE = 8
export const WINDOW_S = 10
export const MAX_WINDOW_S = 60
export const SCRUB_WINDOW_S = 2
export const AHEAD_S = 15
export const KEEP_BEHIND_MS = 30_000
/** A look (one line in the log) covers this much around the instant that was asked for. */
export const LOOK_BEFORE_MS = 5 * 60_000
export const LOOK_AFTER_MS = 25 * 60_000
/** An answer without anything new is asked for again after this long: the recorder is still writing. */
export const RETRY_EMPTY_MS = 1_000
/** A look that does not hold the instant it was asked for is not asked for again sooner. */
export const RETRY_LOOK_MS = 5_000
/** A hole shorter than this is jumped over without a word. */
export const QUIET_GAP_MS = 1_500
/** How close to a hole's edge the playhead can come: a frame of 8 pictures a second. */
const EDGE_MS = 125

export function framesAt(rate: Rate): Frames {
  return rate >= KEY_FRAMES_FROM_RATE ? 'key' : 'all'
}

/** The interval to ask for around an instant that is not in the future: never beyond now, never empty. */
export function lookAround(at: number, now: number): Interval {
  return { from: at - LOOK_BEFORE_MS, to: Math.max(at, Math.min(at + LOOK_AFTER_MS, now)) }
}

export interface PlanInput {
  readonly at: number
  readonly now: number
  readonly rate: Rate
  readonly look: Interval
  /** What has been answered already, holes included. */
  readonly covered: readonly Interval[]
  readonly isScrubbing: boolean
}

export interface FetchPlan {
  readonly kind: 'fetch'
  readonly at: number
  readonly seconds: number
  readonly frames: Frames
}

export type Plan =
  | FetchPlan
  | { readonly kind: 'look'; readonly at: number }
  | { readonly kind: 'wait' }

/** A look that ends at "now" is asked for anew only when this much more can have been recorded. */
export const LOOK_GROWTH_MS = 10_000

export function planNext(input: PlanInput): Plan {
  const { at, rate, look, covered, isScrubbing, now } = input
  if (at < look.from || at > look.to + LOOK_GROWTH_MS) return { kind: 'look', at }
  const next = Math.max(at, endOfRun(covered, at))
  const aheadMs = (isScrubbing ? 0.5 : Math.min(MAX_WINDOW_S, AHEAD_S * rate)) * 1000
  if (next - at >= aheadMs) return { kind: 'wait' }
  if (next >= look.to) {
    const hasMore = now - look.to >= LOOK_GROWTH_MS
    return hasMore ? { kind: 'look', at: next } : { kind: 'wait' }
  }
  const wantS = isScrubbing ? SCRUB_WINDOW_S : Math.min(MAX_WINDOW_S, WINDOW_S * rate)
  const seconds = Math.max(1, Math.min(wantS, Math.ceil((look.to - next) / 1000)))
  return { kind: 'fetch', at: next, seconds, frames: framesAt(rate) }
}

export interface Jump {
  readonly from: number
  readonly to: number
  readonly isQuiet: boolean
}

/**
 * The jump that is due, or null. `holes` are stretches the server said hold nothing; `buffered` is what can be shown.
 * A playhead that stands still before buffered data jumps as well, whatever the server said.
 */
export function findJump(at: number, holes: readonly Interval[], buffered: readonly Interval[], stoodStillMs: number): Jump | null {
  const hole = holes.find((one) => at >= one.from - EDGE_MS && at < one.to)
  const ahead = findInterval(buffered, at)
  if (hole !== undefined && (ahead === null || ahead.to - at < EDGE_MS * 2)) {
    return { from: hole.from, to: hole.to, isQuiet: hole.to - hole.from < QUIET_GAP_MS }
  }
  if (stoodStillMs < 400) return null
  const next = buffered.filter((one) => one.from > at).sort((a, b) => a.from - b.from)[0]
  const end = ahead?.to ?? at
  if (next === undefined || (ahead !== null && ahead.to - at > EDGE_MS * 2)) return null
  return { from: end, to: next.from, isQuiet: next.from - end < QUIET_GAP_MS }
}

/** Index arithmetic of one step over picture times (sorted); null where the step leaves what is loaded. */
export function findStep(pictures: readonly number[], at: number, direction: 1 | -1): number | null {
  let low = 0
  let high = pictures.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pictures[middle] ?? 0) <= at + 1) low = middle + 1
    else high = middle
  }
  // `low - 1` is the picture on the screen: the last that begins at or before `at`.
  return pictures[direction === 1 ? low : low - 2] ?? null
}

/** Sorted union of picture times; the same picture fetched twice counts once (2 ms: clocks are in 1/90000 s). */
export function mergePictures(known: readonly number[], more: readonly number[]): number[] {
  const sorted = [...known, ...more].sort((a, b) => a - b)
  return sorted.filter((time, index) => index === 0 || time - (sorted[index - 1] ?? 0) > 2)
}

export function nextRate(rate: Rate, direction: 1 | -1): Rate {
  return RATES[RATES.indexOf(rate) + direction] ?? rate
}
