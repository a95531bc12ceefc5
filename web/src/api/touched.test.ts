import { describe, expect, it } from 'vitest'
import { touchedKeys } from './touched'
import type { StateSnapshot } from './wire'

const at = '2026-11-20T10:00:00Z'
const event = (type: string, data: object) => ({ cursor: 9, type, event: { data } })
const unit = (over: object) => event('dispatch.unit_changed', { id: 'unt-1', version: 2, code: 'U1', status: 'free', fix_at: at, incident: null, ...over })
const before = {
  cursor: 1, cameras: {}, alerts: {}, incidents: {},
  units: { 'unt-1': { id: 'unt-1', version: 1, status: 'on_scene', incident: 'inc-1' } },
} as unknown as StateSnapshot

describe('touchedKeys', () => {
  it('an alert: itself, the incident it belongs to, and the decided ones when it is decided', () => {
    const alert = { id: 'alr-1', version: 1, title: 't', first_at: at, incident: null }
    expect(touchedKeys([event('incidents.alert_changed', { ...alert, state: 'acknowledged' })], before)).toEqual([['alert', 'alr-1']])
    expect(touchedKeys([event('incidents.alert_changed', { ...alert, state: 'confirmed', incident: 'inc-1' })], before)).toEqual([['alert', 'alr-1'], ['alerts'], ['incident', 'inc-1']])
  })

  it('a unit: only when its status changes, with the incident it left', () => {
    expect(touchedKeys([unit({ status: 'on_scene' })], before)).toEqual([])
    expect(touchedKeys([unit({})], before)).toEqual([['proposals'], ['incident', 'inc-1']])
    expect(touchedKeys([unit({ status: 'sent', incident: 'inc-2' })], undefined)).toEqual([['proposals'], ['incident', 'inc-2']])
  })

  it('a case: itself and the lists; each key once however many facts', () => {
    const fact = event('cases.case_changed', { id: 'cas-1', version: 3, state: 'open' })
    expect(touchedKeys([fact, fact], before)).toEqual([['case', 'cas-1'], ['cases']])
  })

  it('nothing for what it cannot read or does not know', () => {
    expect(touchedKeys([event('incidents.alert_changed', { id: 7 }), event('video.segment_closed', {}), { cursor: 1, type: 'cases.case_changed', event: 'x' }], before)).toEqual([])
  })
})
