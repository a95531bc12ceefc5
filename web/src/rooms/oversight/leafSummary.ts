/** What of a leaf's body fits in one line: who, on what, and the answer where one was given. */
import type { Leaf } from '../../api/wire'
import { words, type WordKey } from '../../i18n/words'

export interface LeafSummary {
  who: string
  what: string
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

/** "camera cam_01J..", "city"; the interval where there is one is in the content. */
function about(body: Record<string, unknown>): string | null {
  const resource = body['resource']
  if (!isRecord(resource)) return text(body['shift']) ?? text(body['purpose']) ?? text(body['console'])
  const [kind, id] = [text(resource['kind']), text(resource['id'])]
  return kind === id || id === null ? kind : `${kind ?? ''} ${id}`
}

export function summaryOf({ type, body }: Leaf): LeafSummary {
  if (body === null) return { who: '–', what: '', permitted: permitted(type) }
  const actor = body['actor']
  const who = isRecord(actor) ? text(actor['name']) : (text(actor) ?? text(body['user']))
  const asked = type === 'refused' ? text(body['act']) : null
  const parts = [asked, about(body), text(body['reason'])]
  return { who: who ?? '–', what: parts.filter((part) => part !== null).join(' · '), permitted: permitted(type) }
}

/** The phrase for a kind of leaf; null where the page does not know it and shows the log's own word. */
export function phraseOf(type: string): WordKey | null {
  const key = `leaf.${type}`
  return key in words ? (key as WordKey) : null
}
