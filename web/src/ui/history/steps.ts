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
const SHOWN = [
  'code', 'number', 'incident', 'offered_name', 'level', 'why', 'outcome', 'reason', 'fir_number', 'old_fir_number', 'police_station', 'old_police_station',
  'camera', 'clips', 'count', 'distance_m', 'sha256',
] as const
type Shown = (typeof SHOWN)[number]

export interface Detail {
  name: Shown
  text: string
  /** Digits, codes and numbers stand left to right. */
  isCode: boolean
}

export interface Say {
  t: Translate
  distance: (metres: number) => string
  camera: (id: string) => string
}

/** A word from a closed list, in the page's language where the page knows it. */
function word(lists: readonly string[], value: string, t: Translate): string {
  const key = lists.map((list) => `${list}.${value}`).find(known)
  return key === undefined ? value.replaceAll('_', ' ') : t(key as WordKey)
}

type Value = string | number
type Reader = (value: Value, say: Say, step: string) => string | null

const asCode: Reader = (value) => String(value)
const only = (step: string, reader: Reader): Reader => (value, say, name) => (name === step ? reader(value, say, name) : null)

/** How each detail is said; null where it tells people nothing at that step. */
const READERS: Record<Shown, Reader> = {
  code: asCode,
  number: asCode,
  incident: (value) => (/^\d{4}-\d+$/.test(String(value)) ? String(value) : null),
  offered_name: only('offered', asCode),
  level: only('escalated', (value, { t }) => word(['level'], String(value), t)),
  why: (value, { t }) => word(['why'], String(value), t),
  outcome: (value, { t }) => (value === 'case' ? t('outcome.was.case') : word(['outcome'], String(value), t)),
  reason: (value, { t }) => word(['reason', 'outcome'], String(value), t),
  fir_number: (value, { t }) => t('case.fir.short', { number: value }),
  old_fir_number: (value, { t }) => t('step.before', { value }),
  police_station: (value, { t }) => t('case.station.short', { name: value }),
  old_police_station: (value, { t }) => t('step.before', { value }),
  camera: (value, { camera }) => camera(String(value)),
  clips: (value, { t }) => t('case.held.clips', { count: value }),
  count: only('joined', (value) => `×${value}`),
  distance_m: (value, { t, distance }) => (typeof value === 'number' ? `${distance(value)} (${t('unit.straight')})` : null),
  sha256: (value) => `SHA-256 ${String(value).slice(0, 12)}…`,
}

const CODES: readonly Shown[] = ['code', 'number', 'incident', 'count', 'sha256']

/** A correction repeats what stayed the same: only what changed is news. */
function isUnchanged(name: Shown, detail: Step['detail']): boolean {
  const plain = name.replace(/^old_/, '')
  return `old_${plain}` in detail && detail[`old_${plain}`] === detail[plain]
}

export function stepDetails({ step, detail }: Pick<Step, 'step' | 'detail'>, say: Say): Detail[] {
  return SHOWN.flatMap((name): Detail[] => {
    const value = detail[name]
    if (value === undefined || value === null || value === '' || isUnchanged(name, detail)) return []
    const text = READERS[name](value, say, step)
    return text === null ? [] : [{ name, text, isCode: CODES.includes(name) }]
  })
}
