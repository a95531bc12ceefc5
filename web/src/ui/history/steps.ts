/** What one line of a history says; the server may know steps and details that an older page does not. */
import type { Step } from '../../api/wire'
import { words, type WordKey } from '../../i18n/words'
import type { Translate } from '../../i18n/i18n'

const known = (key: string): key is WordKey => key in words

/** The words for a step; a step that this page does not know is shown as the server names it. */
export function stepWords(step: string, t: Translate): string {
  const key = `step.${step}`
  return known(key) ? t(key) : step.replaceAll('_', ' ')
}

/** Details that people read, in the order of reading; ids and the like stay in the log. */
const SHOWN = ['code', 'number', 'offered_to', 'name', 'level', 'outcome', 'reason', 'fir_number', 'police_station', 'camera', 'count', 'distance_m'] as const
type Shown = (typeof SHOWN)[number]

export interface Detail {
  name: Shown
  text: string
  /** Digits, codes and numbers stand left to right. */
  isCode: boolean
}

const CODES: readonly Shown[] = ['code', 'number', 'fir_number', 'level', 'count']
/** Lists of words a value may come from, tried in this order. */
const VALUE_WORDS: Partial<Record<Shown, readonly string[]>> = { outcome: ['outcome'], reason: ['reason', 'close', 'outcome'] }

function valueWords(name: Shown, value: string, t: Translate): string {
  for (const list of VALUE_WORDS[name] ?? []) {
    const key = `${list}.${value}`
    if (known(key)) return t(key)
  }
  return VALUE_WORDS[name] === undefined ? value : value.replaceAll('_', ' ')
}

export interface Say {
  t: Translate
  distance: (metres: number) => string
  camera: (id: string) => string
}

export function stepDetails(detail: Step['detail'], { t, distance, camera }: Say): Detail[] {
  return SHOWN.flatMap((name): Detail[] => {
    const value = detail[name]
    if (value === undefined || value === null || value === '') return []
    if (name === 'distance_m') return typeof value === 'number' ? [{ name, text: `${distance(value)} (${t('unit.straight')})`, isCode: false }] : []
    if (name === 'camera') return [{ name, text: camera(String(value)), isCode: false }]
    if (name === 'police_station') return [{ name, text: t('case.station.short', { name: value }), isCode: false }]
    if (name === 'fir_number') return [{ name, text: t('case.fir.short', { number: value }), isCode: false }]
    return [{ name, text: valueWords(name, String(value), t), isCode: CODES.includes(name) }]
  })
}
