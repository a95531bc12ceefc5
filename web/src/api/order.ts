/** Orders that every page shows alike; pure. */
import type { Alert, Incident } from './wire'

type Ranked = Pick<Alert, 'priority' | 'level' | 'due_at' | 'first_at' | 'id'>

const instant = (at: string | null): number => (at === null ? Number.POSITIVE_INFINITY : Date.parse(at))
const compare = (one: number, other: number): number => (one === other ? 0 : one < other ? -1 : 1)

/** The queue: priority, escalated first, then what is due first, then what is oldest. */
export function byQueue(one: Ranked, other: Ranked): number {
  return (
    compare(one.priority, other.priority) ||
    compare(other.level, one.level) ||
    compare(instant(one.due_at), instant(other.due_at)) ||
    compare(instant(one.first_at), instant(other.first_at)) ||
    (one.id < other.id ? -1 : one.id > other.id ? 1 : 0)
  )
}

/** Most urgent first, then newest. */
export function newestIncidentFirst(one: Incident, other: Incident): number {
  return compare(one.priority, other.priority) || compare(instant(other.opened_at), instant(one.opened_at))
}
