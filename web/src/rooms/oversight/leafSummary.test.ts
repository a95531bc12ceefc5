import { describe, expect, it } from 'vitest'
import { kindOf, phraseOf, summaryOf } from './leafSummary'

const leaf = (type: string, body: Record<string, unknown> | null) => ({ index: 1, time: '2026-01-01T00:00:00Z', type, hash: '', entry: '', salt: null, body })
const actor = { user: 'usr_1', name: 'bilal', role: 'operator', session: 'ses_1' }
const resource = { kind: 'camera', id: 'cam_1' }

describe('summaryOf', () => {
  it('says who looked at which camera', () => {
    expect(summaryOf(leaf('view_live', { actor, act: 'view_live', resource }))).toMatchObject({ who: 'bilal', act: null, camera: 'cam_1', permitted: true })
  })

  it('says what was refused and why', () => {
    expect(summaryOf(leaf('refused', { actor, act: 'export_clip', resource, reason: 'oversight.role' }))).toMatchObject({
      act: 'export_clip', camera: 'cam_1', reason: 'oversight.role', permitted: false,
    })
  })

  it('says how long a look lasted', () => {
    expect(summaryOf(leaf('look_ended', { actor, camera: 'cam_1', seconds: 12, reason: 'closed' }))).toMatchObject({ camera: 'cam_1', seconds: 12, reason: 'closed', permitted: null })
  })

  it('tells the machine from a person, and both from nobody known', () => {
    expect(summaryOf(leaf('demo_user_made', { user: 'usr_2', name: 'auditor' }))).toMatchObject({ who: 'machine', about: 'auditor' })
    expect(summaryOf(leaf('sign_in_refused', { user: null, console: '10.0.0.7' }))).toMatchObject({ who: 'unknown', about: '10.0.0.7', permitted: false })
    expect(summaryOf(leaf('view_live', null))).toMatchObject({ who: 'unknown', camera: null, permitted: true })
  })
})

describe('phraseOf', () => {
  it('knows the words of the log, and says where it does not', () => {
    expect(phraseOf('leaf', 'view_live')).toBe('leaf.view_live')
    expect(phraseOf('leaf', 'thing_of_later')).toBeNull()
  })
})

const handled = (type: string, kind: string, detail: Record<string, unknown>) => leaf(type, { actor, act: type, resource: { kind, id: `${kind}_1` }, detail })

describe('the walk in the log', () => {
  it('says which step of which alert, and why it was closed', () => {
    const closed = handled('handle_alerts', 'alert', { step: 'close', version: 2, reason: 'false_alarm' })
    expect(kindOf(closed)).toBe('leaf.handle_alerts.close')
    expect(summaryOf(closed)).toMatchObject({ who: 'bilal', about: 'alert_1', said: [{ key: 'reason.false_alarm' }], permitted: true })
  })

  it('says how an incident ended and which unit went', () => {
    expect(summaryOf(handled('handle_incidents', 'incident', { step: 'close', outcome: 'resolved' })).said).toEqual([{ key: 'outcome.resolved' }])
    expect(summaryOf(handled('dispatch_units', 'incident', { unit: 'unit_7', assignment: 'asg_1' })).said).toEqual(['unit_7'])
    expect(kindOf(handled('dispatch_units', 'unit', { step: 'en_route', assignment: 'asg_1' }))).toBe('leaf.dispatch_units.en_route')
  })

  it('names the camera of a fault and what was broken', () => {
    const cut = handled('cause_faults', 'demo', { fault: 'cut_camera', camera: 'cam_1' })
    expect(kindOf(cut)).toBe('leaf.cause_faults.cut_camera')
    expect(summaryOf(cut)).toMatchObject({ camera: 'cam_1', about: null })
  })

  it('says what was drawn on a camera', () => {
    expect(summaryOf(leaf('scene_changed', { camera: 'cam_1', lines: 3, zones: 6, rules: ['no-stopping'], version: 1 })).said).toEqual([
      { key: 'said.scene', values: { lines: 3, zones: 6 } },
      { key: 'said.rules', values: { names: 'no-stopping' } },
    ])
  })

  it('shows a step of later by its kind', () => {
    expect(kindOf(handled('handle_alerts', 'alert', { step: 'thing_of_later' }))).toBe('leaf.handle_alerts')
  })

  const TYPES = [
    'view_live', 'view_recordings', 'export_clip', 'look_ended', 'export_made', 'export_deleted', 'handle_alerts', 'handle_incidents', 'dispatch_units', 'open_case',
    'handle_cases', 'list_cases', 'manage_rules', 'cause_faults', 'refused', 'purpose_opened', 'purpose_closed', 'start_shift', 'shift_ended', 'sign_in', 'sign_in_refused',
    'sign_in_limited', 'sign_out', 'user_created', 'password_set', 'user_disabled', 'demo_user_made', 'read_log', 'city_imported', 'cabinet_token_made', 'cabinet_token_revoked', 'link_offered', 'link_keys_offered', 'link_confirmed', 'link_switched', 'link_keys_retired', 'link_revoked', 'scene_changed', 'units_entered', 'unit_status_set',
  ]
  it.each(TYPES)('has words for %s', (type) => expect(phraseOf('leaf', type)).not.toBeNull())

  const ACTS = [
    'view_live', 'view_recordings', 'export_clip', 'list_cameras', 'view_health', 'read_log', 'manage_users', 'manage_sites', 'start_shift', 'list_alerts', 'handle_alerts',
    'list_incidents', 'handle_incidents', 'list_units', 'dispatch_units', 'list_cases', 'open_case', 'handle_cases', 'manage_rules', 'cause_faults',
  ]
  it.each(ACTS)('says that %s was refused', (act) => expect(phraseOf('act', act)).not.toBeNull())
})
