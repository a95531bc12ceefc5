import { describe, expect, it } from 'vitest'
import type { CaseClip, Step } from '../../../api/wire'
import { inOrder, lastExport, reasonOf, stillOf } from './evidence'

const at = (minute: number): string => `2026-11-20T10:${String(minute).padStart(2, '0')}:00Z`
const clip = (camera: string, part: Partial<CaseClip> = {}): CaseClip => ({ camera, from: at(0), to: at(2), held_segments: 3, export: null, ...part })
const exported = (id: string, sha256: string): Step => ({ at: at(5), step: 'exported', by: null, note: '', detail: { export: id, sha256 } })

describe('lastExport', () => {
  it('has the hash of the very export that the clip names', () => {
    const steps = [exported('exp_1', 'aa'), exported('exp_2', 'bb')]
    expect(lastExport(clip('a', { export: 'exp_2' }), steps)).toEqual({ export: 'exp_2', sha256: 'bb' })
    expect(lastExport(clip('a', { export: 'exp_9' }), steps)).toEqual({ export: 'exp_9', sha256: null })
    expect(lastExport(clip('a'), steps)).toBeNull()
  })
})

describe('stillOf', () => {
  it('is the picture of the alert where the clip holds it', () => {
    expect(stillOf(clip('a'), { camera: 'a', picture_at: at(1) })).toBe(Date.parse(at(1)))
    expect(stillOf(clip('b'), { camera: 'a', picture_at: at(1) })).toBe(Date.parse(at(0)))
    expect(stillOf(clip('a'), { camera: 'a', picture_at: at(9) })).toBe(Date.parse(at(0)))
  })
})

describe('inOrder', () => {
  it('begins with the camera of the alert', () => {
    const found = inOrder([clip('b', { from: at(1) }), clip('z'), clip('b'), clip('a')], { camera: 'z' })
    expect(found.map(({ camera, from }) => `${camera} ${from.slice(14, 16)}`)).toEqual(['z 00', 'a 00', 'b 00', 'b 01'])
  })
})

describe('reasonOf', () => {
  it('names the case, the FIR and the station', () => {
    expect(reasonOf({ number: 'C-2026-000001', fir_number: '412/26', police_station: 'City' })).toBe('Case C-2026-000001, FIR 412/26, City')
  })
})
