/** The one thing to do next with an incident, and who may do it; pure. */
import type { Act, Assignment, AssignmentStep, IncidentDetail, IncidentStage, Proposal } from '../../../api/wire'

export const STAGES: readonly IncidentStage[] = ['new', 'unit_sent', 'en_route', 'on_scene', 'cleared', 'closed']

export type NextStep =
  | { kind: 'loading' }
  | { kind: 'send'; proposal: Proposal }
  | { kind: 'none_free' }
  | { kind: 'step'; assignment: Assignment; step: Exclude<AssignmentStep['step'], 'cancelled'> }
  | { kind: 'close'; intoCase: boolean }
  | { kind: 'closed'; case: string | null }
  /** There is something to do, by others. */
  | { kind: 'role'; who: 'dispatch' | 'close' }

export const isActive = (assignment: Assignment): boolean => assignment.cleared_at === null && !assignment.is_cancelled

type StepName = 'en_route' | 'on_scene' | 'cleared'

/** What a unit that is under way reports next. */
export function stepAfter(assignment: Assignment): StepName {
  if (assignment.en_route_at === null && assignment.on_scene_at === null) return 'en_route'
  return assignment.on_scene_at === null ? 'on_scene' : 'cleared'
}

const ORDER: readonly StepName[] = ['en_route', 'on_scene', 'cleared']

/** Of several units the one that is least far is heard of next; the first sent where they are equal. */
export function waitingFor(assignments: readonly Assignment[]): Assignment | null {
  const active = assignments.filter(isActive)
  const rank = (one: Assignment): number => ORDER.indexOf(stepAfter(one))
  return [...active].sort((one, other) => rank(one) - rank(other) || Date.parse(one.sent_at) - Date.parse(other.sent_at))[0] ?? null
}

/** `proposals` is undefined until the server has answered. */
export function nextStep(detail: IncidentDetail, proposals: readonly Proposal[] | undefined, acts: readonly Act[]): NextStep {
  const { incident, assignments } = detail
  if (incident.stage === 'closed') return { kind: 'closed', case: incident.case }
  const waiting = waitingFor(assignments)
  const mayDispatch = acts.includes('dispatch_units')
  if (waiting !== null) return mayDispatch ? { kind: 'step', assignment: waiting, step: stepAfter(waiting) } : { kind: 'role', who: 'dispatch' }
  const wasAnswered = assignments.some((one) => one.cleared_at !== null && !one.is_cancelled)
  if (wasAnswered || incident.stage === 'cleared') return closing(acts)
  if (!mayDispatch) return { kind: 'role', who: 'dispatch' }
  if (proposals === undefined) return { kind: 'loading' }
  const nearest = proposals[0]
  return nearest === undefined ? { kind: 'none_free' } : { kind: 'send', proposal: nearest }
}

function closing(acts: readonly Act[]): NextStep {
  if (!mayClose(acts)) return { kind: 'role', who: 'close' }
  return { kind: 'close', intoCase: acts.includes('open_case') }
}

export function mayClose(acts: readonly Act[]): boolean {
  return acts.includes('handle_incidents') || acts.includes('open_case')
}

/** What stays the same while the same thing is to be done: a key held down must not run on into the next one. */
export function nameOf(next: NextStep): string {
  if (next.kind === 'step') return `${next.step} ${next.assignment.id}`
  return next.kind === 'send' ? `send ${next.proposal.unit.id}` : next.kind
}
