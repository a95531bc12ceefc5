import { describe, expect, it } from 'vitest'
import type { Act, Assignment, IncidentDetail, IncidentStage, Proposal } from '../../../api/wire'
import { nameOf, nextStep, stepAfter, waitingFor } from './next'

const at = (minute: number): string => `2026-11-20T10:${String(minute).padStart(2, '0')}:00Z`
const assignment = (id: string, steps: Partial<Assignment> = {}): Assignment => ({
  id, unit: `unit_${id}`, code: id.toUpperCase(), sent_at: at(0), sent_by: { user: 'u', name: 'U' }, distance_m: 1200,
  en_route_at: null, on_scene_at: null, cleared_at: null, is_cancelled: false, ...steps,
})
const detail = (stage: IncidentStage, assignments: Assignment[], caseId: string | null = null): IncidentDetail =>
  ({ incident: { id: 'inc_1', stage, case: caseId }, assignments, steps: [], alerts: [], cameras: [] }) as unknown as IncidentDetail
const proposal = (id: string): Proposal => ({ unit: { id }, distance_m: 900 }) as unknown as Proposal

const dispatcher: Act[] = ['handle_incidents', 'dispatch_units', 'open_case']
const operator: Act[] = ['handle_incidents']
const investigator: Act[] = ['open_case', 'handle_cases']

describe('nextStep', () => {
  it('walks from sending to closing', () => {
    const walk = [
      detail('new', []),
      detail('unit_sent', [assignment('a')]),
      detail('en_route', [assignment('a', { en_route_at: at(1) })]),
      detail('on_scene', [assignment('a', { en_route_at: at(1), on_scene_at: at(2) })]),
      detail('cleared', [assignment('a', { en_route_at: at(1), on_scene_at: at(2), cleared_at: at(3) })]),
      detail('closed', [], 'case_1'),
    ]
    const said = walk.map((one) => nextStep(one, [proposal('near'), proposal('far')], dispatcher)).map(nameOf)
    expect(said).toEqual(['send near', 'en_route a', 'on_scene a', 'cleared a', 'close', 'closed'])
  })

  it('offers the nearest again when the only unit was called back', () => {
    const called = detail('new', [assignment('a', { is_cancelled: true })])
    expect(nextStep(called, [proposal('b')], dispatcher)).toMatchObject({ kind: 'send', proposal: { unit: { id: 'b' } } })
  })

  it('says when nobody is free, and waits while nobody has answered', () => {
    expect(nextStep(detail('new', []), [], dispatcher)).toEqual({ kind: 'none_free' })
    expect(nextStep(detail('new', []), undefined, dispatcher)).toEqual({ kind: 'loading' })
  })

  it('names who can do what the role cannot', () => {
    expect(nextStep(detail('new', []), undefined, operator)).toEqual({ kind: 'role', who: 'dispatch' })
    expect(nextStep(detail('unit_sent', [assignment('a')]), undefined, investigator)).toEqual({ kind: 'role', who: 'dispatch' })
    const done = detail('cleared', [assignment('a', { cleared_at: at(3) })])
    expect(nextStep(done, undefined, operator)).toEqual({ kind: 'close', intoCase: false })
    expect(nextStep(done, undefined, investigator)).toEqual({ kind: 'close', intoCase: true })
    expect(nextStep(done, undefined, ['list_incidents'])).toEqual({ kind: 'role', who: 'close' })
  })
})

describe('waitingFor', () => {
  it('is the unit least far, and of equals the first sent', () => {
    const [first, second, there] = [assignment('a', { sent_at: at(5) }), assignment('b', { sent_at: at(4) }), assignment('c', { on_scene_at: at(9) })]
    expect(waitingFor([there, first, second])?.id).toBe('b')
    expect(waitingFor([there])?.id).toBe('c')
    expect(waitingFor([assignment('d', { is_cancelled: true })])).toBeNull()
  })

  it('does not ask for a step that was passed over', () => {
    expect(stepAfter(assignment('a', { on_scene_at: at(2) }))).toBe('cleared')
  })
})
