/** Half-open stretches of time [from, to) in epoch milliseconds, and the little arithmetic that recordings need. */

export interface Interval {
  readonly from: number
  readonly to: number
}

/** Sorted, without overlaps; stretches closer than `joinMs` become one. */
export function mergeIntervals(intervals: readonly Interval[], joinMs = 0): Interval[] {
  const merged: { from: number; to: number }[] = []
  const sorted = intervals.filter((one) => one.to > one.from).sort((a, b) => a.from - b.from)
  for (const { from, to } of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + joinMs) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

export function findInterval<T extends Interval>(intervals: readonly T[], at: number): T | null {
  return intervals.find((one) => one.from <= at && at < one.to) ?? null
}

/** The first stretch that begins after `at`. */
export function findNext<T extends Interval>(intervals: readonly T[], at: number): T | null {
  let next: T | null = null
  for (const one of intervals) if (one.from > at && (next === null || one.from < next.from)) next = one
  return next
}

/** Where the unbroken stretch that holds `at` ends; `at` itself where none holds it. */
export function endOfRun(intervals: readonly Interval[], at: number): number {
  return findInterval(mergeIntervals(intervals), at)?.to ?? at
}

export function clip(intervals: readonly Interval[], window: Interval): Interval[] {
  return intervals
    .map((one) => ({ from: Math.max(one.from, window.from), to: Math.min(one.to, window.to) }))
    .filter((one) => one.to > one.from)
}

/** What of `window` no interval holds. */
export function complement(intervals: readonly Interval[], window: Interval): Interval[] {
  const holes: Interval[] = []
  let at = window.from
  for (const one of mergeIntervals(clip(intervals, window))) {
    if (one.from > at) holes.push({ from: at, to: one.from })
    at = one.to
  }
  if (at < window.to) holes.push({ from: at, to: window.to })
  return holes
}

export function totalMs(intervals: readonly Interval[]): number {
  return mergeIntervals(intervals).reduce((sum, one) => sum + one.to - one.from, 0)
}

export function overlapMs(a: Interval, b: Interval): number {
  return Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from))
}
