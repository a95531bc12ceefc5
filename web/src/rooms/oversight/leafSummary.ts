/** What of a leaf's body fits in one line: who, on what, and the answer where one was given. */
import type { Leaf } from '../../api/wire'
import { words, type WordKey } from '../../i18n/words'

/** A phrase, with what fills its holes; or a word as the log has it. */
export type Said = { key: WordKey; values?: Record<string, string | number> } | string

export interface LeafSummary {
  /** `machine` is a command on the machine itself, or the system; `unknown` a sign-in that failed. */
  who: string | 'machine' | 'unknown'
  /** What was asked for; told apart from the kind of the leaf only where it was refused. */
  act: string | null
  camera: string | null
  /** Anything else that it was about, in the log's own words. */
  about: string | null
  /** What more is known of it, each a phrase of the page or a word of the log. */
  said: readonly Said[]
  /** How long a look lasted. */
  seconds: number | null
  /** Code of a refusal, or why a look ended. */
  reason: string | null
  permitted: boolean | null
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

/** What can be asked for; the leaf of a yes is named after it. */
const ACTS: readonly string[] = [
  'view_live', 'view_recordings', 'export_clip', 'list_cameras', 'view_health', 'read_log', 'manage_users', 'manage_sites', 'start_shift', 'list_alerts',
  'handle_alerts', 'list_incidents', 'handle_incidents', 'list_units', 'dispatch_units', 'list_cases', 'open_case', 'handle_cases', 'manage_rules', 'cause_faults',
]
const REFUSALS = ['refused', 'sign_in_refused', 'sign_in_limited']

function permitted(type: string): boolean | null {
  if (REFUSALS.includes(type)) return false
  return ACTS.includes(type) ? true : null
}

function whoOf(type: string, body: Record<string, unknown>): string {
  const actor = body['actor']
  if (isRecord(actor)) return text(actor['name']) ?? 'unknown'
  return REFUSALS.includes(type) ? 'unknown' : 'machine'
}

/** Kinds of things that have an id of their own. */
const NAMED: readonly string[] = ['users', 'alert', 'incident', 'unit', 'case']

const detailOf = (body: Record<string, unknown>): Record<string, unknown> => (isRecord(body['detail']) ? body['detail'] : body)

/** Words of a leaf's detail that have phrases: why an alert was closed, how an incident ended, what a unit does now. */
const WORDED: readonly (readonly [string, string])[] = [['reason', 'reason'], ['outcome', 'outcome'], ['status', 'unit.status'], ['priority', 'priority']]

function known(key: string): WordKey | null {
  return key in words ? (key as WordKey) : null
}

/** Everything beyond who, what and where that an auditor wants to read without opening the leaf. */
function saidOf(type: string, body: Record<string, unknown>): Said[] {
  const detail = detailOf(body)
  const number = (name: string): number => (typeof detail[name] === 'number' ? detail[name] : 0)
  if (type === 'scene_changed') return [{ key: 'said.scene', values: { lines: number('lines'), zones: number('zones') } }, ...rulesOf(detail)]
  if (type === 'units_entered') return [{ key: 'said.units', values: { count: number('units') } }]
  if (type === 'city_imported') return [{ key: 'said.rows', values: { count: number('rows') } }]
  if (type === 'sign_in' && detail['method'] === 'demo') return [{ key: 'said.demo' }]
  const worded = WORDED.flatMap(([name, family]): Said[] => {
    const value = detail === body && name === 'reason' ? null : detail[name]
    if (typeof value !== 'string' && typeof value !== 'number') return []
    const key = known(`${family}.${value}`)
    return [key === null ? String(value) : { key }]
  })
  const still = detail['still'] === true ? [{ key: 'said.still' as WordKey }] : []
  const unit = (detail === body ? ['unit'] : ['unit', 'export']).map((name) => text(detail[name])).filter((id) => id !== null && id !== text(isRecord(body['resource']) ? body['resource']['id'] : null))
  return [...still, ...worded, ...(unit as string[])]
}

function rulesOf(detail: Record<string, unknown>): Said[] {
  const rules = Array.isArray(detail['rules']) ? detail['rules'].filter((rule) => typeof rule === 'string') : []
  return rules.length === 0 ? [] : [{ key: 'said.rules', values: { names: rules.join(', ') } }]
}

/** The camera asked about, or what else has a name: an account, a console, an export. */
function aboutOf(body: Record<string, unknown>): { camera: string | null; about: string | null } {
  const resource = body['resource']
  if (isRecord(resource)) {
    const id = text(resource['id'])
    if (resource['kind'] === 'camera') return { camera: id, about: null }
    // The city, the log, one's own shift: the act says it all.
    const isNamed = NAMED.includes(text(resource['kind']) ?? '') && id !== 'all'
    return { camera: text(detailOf(body)['camera']), about: isNamed ? id : null }
  }
  const about = ['name', 'console', 'ref', 'export', 'site'].map((name) => text(body[name])).find((found) => found !== null)
  return { camera: text(body['camera']), about: about ?? null }
}

export function summaryOf({ type, body }: Leaf): LeafSummary {
  if (body === null) {
    return { who: 'unknown', act: null, camera: null, about: null, said: [], seconds: null, reason: null, permitted: permitted(type) }
  }
  return {
    who: whoOf(type, body),
    act: type === 'refused' ? text(body['act']) : null,
    ...aboutOf(body),
    said: saidOf(type, body),
    seconds: typeof body['seconds'] === 'number' ? body['seconds'] : null,
    reason: text(body['reason']),
    permitted: permitted(type),
  }
}

/** The phrase for a word of the log; null where the page does not know it and shows the word itself. */
export function phraseOf(family: 'leaf' | 'act' | 'reason', word: string): WordKey | null {
  return known(`${family}.${word}`)
}

/** What a leaf says in a few words: the step of an alert or a unit where it names one, else its kind. */
export function kindOf({ type, body }: Pick<Leaf, 'type' | 'body'>): WordKey | null {
  const detail = body === null ? {} : detailOf(body)
  const step = text(detail['step']) ?? text(detail['fault'])
  return (step === null ? null : known(`leaf.${type}.${step}`)) ?? known(`leaf.${type}`)
}
