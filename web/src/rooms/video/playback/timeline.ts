/** The arithmetic of the timeline: what stretch is in sight, where an instant stands, which times are written. Epoch ms. */
import type { Interval } from '../../../lib/player/intervals'

export const MIN_SPAN_MS = 60_000
export const MAX_SPAN_MS = 31 * 86_400_000
export const SPANS_MS = [60_000, 600_000, 3_600_000, 86_400_000, 604_800_000, 2_592_000_000] as const
/** Room that a written time needs. */
const LABEL_PX = 84
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const STEPS_MS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 120 * HOUR,
]

export function spanOf(view: Interval): number {
  return view.to - view.from
}

export function clampSpan(spanMs: number): number {
  return Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, spanMs))
}

/** A view of this span with `at` in the middle. */
export function viewAround(at: number, spanMs: number): Interval {
  const span = clampSpan(spanMs)
  return { from: at - span / 2, to: at + span / 2 }
}

/** The same span, moved back where it would show mostly what has not happened yet. */
export function notAhead(view: Interval, now: number): Interval {
  const excess = view.to - (now + spanOf(view) * 0.06)
  return excess > 0 ? pan(view, -excess) : view
}

/** `factor` < 1 zooms in; the instant `at` keeps its place on the screen. */
export function zoom(view: Interval, at: number, factor: number): Interval {
  const span = clampSpan(spanOf(view) * factor)
  const share = (at - view.from) / spanOf(view)
  const from = at - share * span
  return { from, to: from + span }
}

export function pan(view: Interval, byMs: number): Interval {
  return { from: view.from + byMs, to: view.to + byMs }
}

export function xOf(at: number, view: Interval, widthPx: number): number {
  return ((at - view.from) / spanOf(view)) * widthPx
}

export function instantAt(xPx: number, view: Interval, widthPx: number): number {
  return widthPx <= 0 ? view.from : view.from + (Math.min(widthPx, Math.max(0, xPx)) / widthPx) * spanOf(view)
}

/** Follows a moving playhead: near the end of the view turns the page so that it stands at a fifth. */
export function keepInSight(view: Interval, at: number, now: number): Interval {
  const span = spanOf(view)
  if (at >= view.from && at <= view.to - span * 0.02) return view
  const from = at - span * (at < view.from ? 0.5 : 0.2)
  return notAhead({ from, to: from + span }, now)
}

export function tickStep(view: Interval, widthPx: number): number {
  const wanted = (spanOf(view) * LABEL_PX) / Math.max(LABEL_PX, widthPx)
  return STEPS_MS.find((step) => step >= wanted) ?? 240 * HOUR
}

/** Instants to write, at round local times: `offsetMs` is local time minus UTC. */
export function ticks(view: Interval, stepMs: number, offsetMs: number): number[] {
  const first = Math.ceil((view.from + offsetMs) / stepMs) * stepMs - offsetMs
  const found: number[] = []
  for (let at = first; at <= view.to && found.length < 200; at += stepMs) found.push(at)
  return found
}

/** Local time minus UTC at an instant, in ms; the zone is an IANA name or this machine's own. */
export function zoneOffsetMs(at: number, zone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric',
  }).formatToParts(at)
  const read = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  const local = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'))
  return local - Math.floor(at / 1000) * 1000
}

/** The stretch to ask the server for: steady while the view moves inside it, so that panning does not ask at each pixel. */
export function fetchWindow(view: Interval): Interval {
  const chunk = spanOf(view) / 2
  const power = 2 ** Math.ceil(Math.log2(chunk))
  return { from: Math.floor(view.from / power) * power - power, to: Math.ceil(view.to / power) * power + power }
}

/** "14:05", "14:05:09", with or without a date, understood in the city's zone; the date defaults to that of `near`. */
export function parseTime(text: string, near: number, offsetMs: number): number | null {
  const match = /^\s*(?:(\d{4})-(\d{1,2})-(\d{1,2})[ T]+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*$/.exec(text)
  if (match === null) return null
  const [, year, month, day, hour, minute, second] = match.map(Number)
  if (hour === undefined || hour > 23 || minute === undefined || minute > 59 || (second || 0) > 59) return null
  const local = new Date(near + offsetMs)
  const date = match[1] === undefined ? [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()] : [year!, month! - 1, day!]
  return Date.UTC(date[0]!, date[1]!, date[2]!, hour, minute, second || 0) - offsetMs
}
