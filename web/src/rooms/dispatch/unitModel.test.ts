import { describe, expect, it } from 'vitest'
import type { Assignment, Unit } from '../../api/wire'
import { byStatus, fixAgeS, inOrder, progressOf, reachedAt, stepsFor } from './unitModel'

const at = (minute: number): string => `2026-11-20T10:${String(minute).padStart(2, '0')}:00Z`
const assignment = (id: string, steps: Partial<Assignment> = {}): Assignment => ({
  id, unit: id, code: id, sent_at: at(0), sent_by: { user: 'u', name: 'U' }, distance_m: 1, en_route_at: null, on_scene_at: null, cleared_at: null, is_cancelled: false, ...steps,
})

describe('progress of a unit', () => {
  it('follows its steps, also where one was passed over', () => {
    expect(progressOf(assignment('a'))).toBe('sent')
    expect(progressOf(assignment('a', { en_route_at: at(1) }))).toBe('en_route')
    expect(progressOf(assignment('a', { on_scene_at: at(2) }))).toBe('on_scene')
    expect(progressOf(assignment('a', { on_scene_at: at(2), cleared_at: at(3) }))).toBe('cleared')
    expect(progressOf(assignment('a', { cleared_at: at(3), is_cancelled: true }))).toBe('cancelled')
    expect(reachedAt(assignment('a', { en_route_at: at(1), on_scene_at: at(2) }))).toBe(at(2))
  })

  it('offers nothing once it is over, and no calling back from the scene', () => {
    expect(stepsFor(assignment('a', { cleared_at: at(3) }))).toEqual([])
    expect(stepsFor(assignment('a', { is_cancelled: true }))).toEqual([])
    expect(stepsFor(assignment('a', { on_scene_at: at(3) }))).toEqual(['cleared'])
    expect(stepsFor(assignment('a'))[0]).toBe('en_route')
  })
})

describe('orders', () => {
  it('put those still on it before those who are done', () => {
    const list = [assignment('done', { cleared_at: at(9) }), assignment('late', { sent_at: at(5) }), assignment('early', { sent_at: at(1) })]
    expect(inOrder(list).map(({ id }) => id)).toEqual(['early', 'late', 'done'])
  })

  it('put free units first and off duty last, P-2 before P-10', () => {
    const unit = (code: string, status: Unit['status']) => ({ code, status }) as Unit
    const list = [unit('P-10', 'free'), unit('A-1', 'off_duty'), unit('P-2', 'free'), unit('T-1', 'on_scene')]
    expect(byStatus(list).map(({ code }) => code)).toEqual(['P-2', 'P-10', 'T-1', 'A-1'])
  })

  it('never say that a position is from the future', () => {
    expect(fixAgeS({ fix_at: at(5) }, Date.parse(at(8)))).toBe(180)
    expect(fixAgeS({ fix_at: at(8) }, Date.parse(at(5)))).toBe(0)
  })
})
