import { describe, expect, it } from 'vitest'
import { translate, type Translate } from '../../i18n/i18n'
import { stepDetails, stepWords } from './steps'

const t: Translate = (key, values) => translate('en', key, values).replaceAll(/[\u2068\u2069]/g, '')
const say = { t, distance: (metres: number) => `${metres} m`, camera: (id: string) => (id === 'cam_1' ? 'Liaquat Bazaar' : id) }
const texts = (step: string, detail: Record<string, string | number | null>) => stepDetails({ step, detail }, say).map(({ text }) => text)

describe('stepWords', () => {
  it('shows a step of a newer server as the server names it', () => {
    expect(stepWords('unit_sent', t)).toBe('Unit sent')
    expect(stepWords('drone_landed', t)).toBe('drone landed')
  })
})

describe('stepDetails', () => {
  it('says what people read and leaves ids out', () => {
    expect(texts('unit_sent', { unit: 'unt_01', code: 'P-12', assignment: 'asg_01', distance_m: 1200 })).toEqual(['P-12', '1200 m (straight line)'])
    expect(texts('opened', { incident: '2026-000042' })).toEqual(['2026-000042'])
    expect(texts('confirmed', { incident: 'inc_01HX', owner: 'usr_1', state: 'confirmed', number: '2026-000001' })).toEqual(['2026-000001'])
    expect(texts('exported', { export: 'exp_1', camera: 'cam_1', sha256: 'a'.repeat(64) })).toEqual(['Liaquat Bazaar', `SHA-256 ${'a'.repeat(12)}…`])
  })

  it('says an outcome in words, a free one as it was written', () => {
    expect(texts('closed', { outcome: 'false_alarm', case: null })).toEqual(['False alarm'])
    expect(texts('closed', { outcome: 'case', case: 'cas_1' })).toEqual(['Became a case'])
    expect(texts('closed', { outcome: 'Challan submitted' })).toEqual(['Challan submitted'])
  })

  it('shows of a correction what changed, with what stood before', () => {
    const detail = { fir_number: '413/26', old_fir_number: '412/26', police_station: 'City', old_police_station: 'City' }
    expect(texts('references', detail)).toEqual(['FIR 413/26', 'was 412/26'])
  })
})
