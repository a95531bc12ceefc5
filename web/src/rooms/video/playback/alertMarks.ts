/** Alerts under the timeline: where their marks stand, and which comes next; pure. */
import type { Alert } from '../../../api/wire'
import type { Interval } from '../../../lib/player/intervals'
import { spanOf } from './timeline'

export interface AlertMark {
  /** The most urgent of those that share the mark. */
  alert: Alert
  /** How many share it. */
  count: number
  /** Share of the view, 0 at its beginning. */
  share: number
}

/** Marks nearer to each other than this share of the view would cover each other. */
const APART = 0.014

export function instantOf(alert: Pick<Alert, 'first_at'>): number {
  return Date.parse(alert.first_at)
}

/** Playback begins where the clip does, so that one sees how it came about. */
export function startOf(alert: Pick<Alert, 'clip_from'>): number {
  return Date.parse(alert.clip_from)
}

/** The alerts in sight, joined where they would cover each other; in the order of time. */
export function marksOf(alerts: readonly Alert[], view: Interval): AlertMark[] {
  const shareOf = (alert: Alert): number => (instantOf(alert) - view.from) / spanOf(view)
  const inSight = alerts.filter((alert) => shareOf(alert) >= 0 && shareOf(alert) <= 1).sort((one, other) => instantOf(one) - instantOf(other))
  const marks: AlertMark[] = []
  for (const alert of inSight) {
    const last = marks.at(-1)
    const share = shareOf(alert)
    if (last === undefined || share - last.share >= APART) marks.push({ alert, count: 1, share })
    else marks[marks.length - 1] = { alert: alert.priority < last.alert.priority ? alert : last.alert, count: last.count + 1, share: last.share }
  }
  return marks
}

/** Jumping back from within the first seconds of a clip means the one before. */
const BACK_REACH_MS = 2_000

/** The alert whose clip begins next, or began before; null at the ends. */
export function neighbour(alerts: readonly Alert[], at: number, by: 1 | -1): Alert | null {
  const inOrder = [...alerts].sort((one, other) => startOf(one) - startOf(other))
  if (by > 0) return inOrder.find((alert) => startOf(alert) > at + 1) ?? null
  return inOrder.findLast((alert) => startOf(alert) < at - BACK_REACH_MS) ?? null
}
