/** What of a leaf's body fits in one line: who, on what, and the answer where one was given. */
import type { Leaf } from '../../api/wire'
import { words, type WordKey } from '../../i18n/words'

export interface LeafSummary {
  /** `machine` is a command on the machine itself, or the system; `unknown` a sign-in that failed. */
  who: string | 'machine' | 'unknown'
  /** What was asked for; told apart from the kind of the leaf only where it was refused. */
  act: string | null
  camera: string | null
  /** Anything else that it was about, in the log's own words. */
  about: string | null
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
const ACTS = ['view_live', 'view_recordings', 'export_clip', 'list_cameras', 'view_health', 'read_log', 'manage_users', 'manage_sites', 'start_shift']
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

/** The camera asked about, or what else has a name: an account, a console, an export. */
function aboutOf(body: Record<string, unknown>): { camera: string | null; about: string | null } {
  const resource = body['resource']
  if (isRecord(resource)) {
    const id = text(resource['id'])
    if (resource['kind'] === 'camera') return { camera: id, about: null }
    // The city, the log, one's own shift: the act says it all.
    return { camera: null, about: resource['kind'] === 'users' && id !== 'all' ? id : null }
  }
  const about = ['name', 'console', 'ref', 'export'].map((name) => text(body[name])).find((found) => found !== null)
  return { camera: text(body['camera']), about: about ?? null }
}

export function summaryOf({ type, body }: Leaf): LeafSummary {
  if (body === null) {
    return { who: 'unknown', act: null, camera: null, about: null, seconds: null, reason: null, permitted: permitted(type) }
  }
  return {
    who: whoOf(type, body),
    act: type === 'refused' ? text(body['act']) : null,
    ...aboutOf(body),
    seconds: typeof body['seconds'] === 'number' ? body['seconds'] : null,
    reason: text(body['reason']),
    permitted: permitted(type),
  }
}

/** The phrase for a word of the log; null where the page does not know it and shows the word itself. */
export function phraseOf(family: 'leaf' | 'act' | 'reason', word: string): WordKey | null {
  const key = `${family}.${word}`
  return key in words ? (key as WordKey) : null
}
