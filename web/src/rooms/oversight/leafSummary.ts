/** What of a leaf's body fits in one line: who, on what, and the answer where one was given. */
import type { Leaf } from '../../api/wire'
import { words, type WordKey } from '../../i18n/words'

export interface LeafSummary {
  who: string
  /** What was asked for; only told apart from the kind of the leaf where it was refused. */
  act: string | null
  kind: string | null
  id: string | null
  /** Code of a refusal. */
  reason: string | null
  permitted: boolean | null
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null

/** What can be asked for; the leaf of a yes is named after it. */
const ACTS = ['view_live', 'view_recordings', 'export_clip', 'list_cameras', 'view_health', 'read_log', 'manage_users', 'manage_sites', 'start_shift']
const REFUSALS = ['refused', 'sign_in_refused', 'sign_in_limited']

function permitted(type: string): boolean | null {
  if (REFUSALS.includes(type)) return false
  return ACTS.includes(type) ? true : null
}

function about(body: Record<string, unknown>): { kind: string | null; id: string | null } {
  const resource = body['resource']
  if (isRecord(resource)) {
    const [kind, id] = [text(resource['kind']), text(resource['id'])]
    // The city, the log, one's own shift: the act says it all.
    return kind === 'camera' || kind === 'users' ? { kind, id } : { kind, id: null }
  }
  return { kind: null, id: text(body['console']) ?? text(body['ref']) }
}

export function summaryOf({ type, body }: Leaf): LeafSummary {
  if (body === null) return { who: '–', act: null, kind: null, id: null, reason: null, permitted: permitted(type) }
  const actor = body['actor']
  const who = isRecord(actor) ? text(actor['name']) : (text(actor) ?? text(body['user']) ?? text(body['name']))
  return {
    who: who ?? '–',
    act: type === 'refused' ? text(body['act']) : null,
    ...about(body),
    reason: text(body['reason']),
    permitted: permitted(type),
  }
}

/** The phrase for a word of the log; null where the page does not know it and shows the word itself. */
export function phraseOf(family: 'leaf' | 'act' | 'reason', word: string): WordKey | null {
  const key = `${family}.${word}`
  return key in words ? (key as WordKey) : null
}
