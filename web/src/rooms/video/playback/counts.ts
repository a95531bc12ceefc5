/** Counts of lines, and the day they belong to; pure. */
import { zoneOffsetMs } from './timeline'

const DAY_MS = 86_400_000

/** The last midnight of the city, epoch ms. */
export function dayStart(now: number, zone: string | undefined): number {
  const offset = zoneOffsetMs(now, zone)
  return Math.floor((now + offset) / DAY_MS) * DAY_MS - offset
}

export function sum(amounts: Readonly<Record<string, number>>): number {
  return Object.values(amounts).reduce((total, amount) => total + amount, 0)
}

/** What they were taken for, the most first. */
export function classesOf(amounts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(amounts).filter(([, amount]) => amount > 0).sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
}
