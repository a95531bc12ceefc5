/** Units as the panel sorts and says them; pure. */
import type { Assignment, AssignmentStep, Unit } from '../../api/wire'

export type Progress = 'sent' | 'en_route' | 'on_scene' | 'cleared' | 'cancelled'

export function progressOf(assignment: Assignment): Progress {
  if (assignment.is_cancelled) return 'cancelled'
  if (assignment.cleared_at !== null) return 'cleared'
  if (assignment.on_scene_at !== null) return 'on_scene'
  return assignment.en_route_at === null ? 'sent' : 'en_route'
}

type StepName = AssignmentStep['step']

const STEPS: Record<Progress, readonly StepName[]> = {
  sent: ['en_route', 'on_scene', 'cancelled'],
  en_route: ['on_scene', 'cleared', 'cancelled'],
  on_scene: ['cleared'],
  cleared: [],
  cancelled: [],
}

/** What can be heard of a unit next; the first is the usual one. */
export function stepsFor(assignment: Assignment): readonly StepName[] {
  return STEPS[progressOf(assignment)]
}

/** When the unit got where it is now. */
export function reachedAt(assignment: Assignment): string {
  return assignment.cleared_at ?? assignment.on_scene_at ?? assignment.en_route_at ?? assignment.sent_at
}

const isOver = (assignment: Assignment): boolean => ['cleared', 'cancelled'].includes(progressOf(assignment))

/** Those still on it first, each group in the order of sending. */
export function inOrder(assignments: readonly Assignment[]): Assignment[] {
  return [...assignments].sort((one, other) => Number(isOver(one)) - Number(isOver(other)) || Date.parse(one.sent_at) - Date.parse(other.sent_at))
}

const STATUSES: readonly Unit['status'][] = ['free', 'sent', 'en_route', 'on_scene', 'off_duty']

/** Free ones first, then those at work, then those off duty; by call sign within. */
export function byStatus(units: readonly Unit[]): Unit[] {
  return [...units].sort((one, other) => STATUSES.indexOf(one.status) - STATUSES.indexOf(other.status) || one.code.localeCompare(other.code, 'en', { numeric: true }))
}

/** A position older than this is said with its age even where the server has not flagged it. */
export const FRESH_S = 60

export function fixAgeS(unit: Pick<Unit, 'fix_at'>, now: number): number {
  return Math.max(0, (now - Date.parse(unit.fix_at)) / 1000)
}
