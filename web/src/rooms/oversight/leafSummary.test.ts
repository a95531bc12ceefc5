import { describe, expect, it } from 'vitest'
import { phraseOf, summaryOf } from './leafSummary'

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
