/** Which stretch may be exported, and what must be said before. Pure; times in epoch ms. */
import { clip, totalMs, type Interval } from '../../../lib/player/intervals'

export const MAX_EXPORT_MS = 60 * 60_000
export const MIN_EXPORT_MS = 1_000
export const MIN_REASON_LETTERS = 8

export interface ExportRange {
  readonly from: number | null
  readonly to: number | null
}

export type ExportFault = 'start' | 'end' | 'order' | 'long' | 'future' | 'empty' | 'reason'

export interface ExportAsk {
  readonly range: ExportRange
  readonly reason: string
  readonly recorded: readonly Interval[]
  readonly now: number
}

/** The first thing that keeps this from being exported, or null. */
export function findExportFault({ range, reason, recorded, now }: ExportAsk): ExportFault | null {
  if (range.from === null) return 'start'
  if (range.to === null) return 'end'
  const length = range.to - range.from
  if (length < MIN_EXPORT_MS) return 'order'
  if (length > MAX_EXPORT_MS) return 'long'
  if (range.to > now) return 'future'
  if (totalMs(clip(recorded, { from: range.from, to: range.to })) === 0) return 'empty'
  return reason.trim().length < MIN_REASON_LETTERS ? 'reason' : null
}

/** What of the stretch was not recorded, to be said before the export and never after. */
export function missingMs(range: ExportRange, recorded: readonly Interval[]): number {
  if (range.from === null || range.to === null || range.to <= range.from) return 0
  const window = { from: range.from, to: range.to }
  return Math.max(0, window.to - window.from - totalMs(clip(recorded, window)))
}

/** Marks one end at an instant; an end that would cross the other pushes it away instead. */
export function markEnd(range: ExportRange, end: 'from' | 'to', at: number): ExportRange {
  const rounded = Math.round(at / 1000) * 1000
  if (end === 'from') return { from: rounded, to: range.to !== null && range.to <= rounded ? null : range.to }
  return { from: range.from !== null && range.from >= rounded ? null : range.from, to: rounded }
}
