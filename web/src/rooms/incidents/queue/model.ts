/** What the queue page decides by itself: whose an alert is, what comes next, how long there is. Pure. */
import type { Alert, CloseReason } from '../../../api/wire'

/** As the page asks; the server decides anew. */
export interface Me {
  userId: string
  isSupervisor: boolean
  mayHandle: boolean
}

export type Filter = 'all' | 'mine'

/** In the order of the number keys. */
export const CLOSE_REASONS: readonly CloseReason[] = ['false_alarm', 'nothing_seen', 'duplicate', 'known_activity', 'test']

type Held = Pick<Alert, 'state' | 'owner' | 'offered_to' | 'level' | 'priority' | 'due_at'>

/**
 * How an alert stands to the person: in their hands, offered to them, in somebody's hands, offered to somebody,
 * everybody's, or the supervisor's call.
 */
export type Hold = 'own' | 'for_you' | 'held' | 'offered' | 'everyone' | 'supervisor'

export function holdOf(alert: Held, me: Me): Hold {
  if (alert.state === 'acknowledged') return alert.owner?.user === me.userId ? 'own' : 'held'
  if (alert.level >= 2) return 'supervisor'
  if (alert.level === 1 || alert.offered_to === null) return 'everyone'
  return alert.offered_to.user === me.userId ? 'for_you' : 'offered'
}

/** Who has it or is asked, by name; null for everybody. */
export function holderOf(alert: Held): string | null {
  if (alert.state === 'acknowledged') return alert.owner?.name ?? null
  return alert.level === 0 ? (alert.offered_to?.name ?? null) : null
}

export function isMine(alert: Held, me: Me): boolean {
  const hold = holdOf(alert, me)
  return hold === 'own' || hold === 'for_you' || (hold === 'supervisor' && me.isSupervisor)
}

/** The queue as the person sees it: everything in its order, or their own with what they have taken on top. */
export function listFor(alerts: readonly Alert[], filter: Filter, me: Me): readonly Alert[] {
  if (filter === 'all') return alerts
  const mine = alerts.filter((alert) => isMine(alert, me))
  const isOwn = (alert: Alert): boolean => holdOf(alert, me) === 'own'
  return [...mine.filter(isOwn), ...mine.filter((alert) => !isOwn(alert))]
}

export type Deed = 'acknowledge' | 'confirm'

export interface Choices {
  /** What Enter does. */
  next: Deed | null
  mayDecide: boolean
  mayRelease: boolean
  mayEscalate: boolean
}

const NOTHING: Choices = { next: null, mayDecide: false, mayRelease: false, mayEscalate: false }

/** What the person may do with it now, as the rules of the queue say. */
export function choicesOf(alert: Held, me: Me): Choices {
  if (!me.mayHandle || (alert.state !== 'unacknowledged' && alert.state !== 'acknowledged')) return NOTHING
  const isTaken = alert.state === 'acknowledged'
  const mayDecide = !isTaken || alert.owner?.user === me.userId || me.isSupervisor
  return {
    next: !isTaken ? 'acknowledge' : mayDecide ? 'confirm' : null,
    mayDecide,
    mayRelease: isTaken && mayDecide,
    mayEscalate: isTaken || alert.level < 2,
  }
}

export interface Countdown {
  leftS: number
  /** 1 is a whole bar; it is the same time for all alerts, so that bars can be compared. */
  share: number
  isSoon: boolean
}

export const FULL_BAR_S = 120
export const SOON_S = 10

/** How long until it escalates or lapses; null where no clock runs. */
export function countdown(dueAt: string | null, now: number): Countdown | null {
  if (dueAt === null) return null
  const leftS = Math.max(0, (Date.parse(dueAt) - now) / 1000)
  return { leftS, share: Math.min(1, leftS / FULL_BAR_S), isSoon: leftS <= SOON_S }
}

/** The neighbour in the list; the ends hold. Without a selection the first, whichever way. */
export function moveIn(ids: readonly string[], selected: string | null, by: 1 | -1): string | null {
  const at = selected === null ? -1 : ids.indexOf(selected)
  if (at < 0) return ids[0] ?? null
  return ids[Math.min(ids.length - 1, Math.max(0, at + by))] ?? null
}

/** What to show once the selected one has gone: the one that took its place, else the last. */
export function afterGone(before: readonly string[], now: readonly string[], selected: string): string | null {
  const at = before.indexOf(selected)
  const left = before.slice(at + 1).find((id) => now.includes(id)) ?? before.slice(0, Math.max(0, at)).findLast((id) => now.includes(id))
  return left ?? now[0] ?? null
}
