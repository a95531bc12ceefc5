/** Facts of the event stream as the page reads them: anything that is not of the expected shape is no fact. */
import type { Alert, CameraCause, CameraState, Incident, StateEntry, Unit } from './wire'

export interface LiveEvent {
  cursor: number
  type: string
  event: unknown
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const STATES: readonly string[] = ['live', 'stalled', 'offline', 'unknown'] satisfies CameraState[]

/** CloudEvents shape: the fact is in `data`, what it is about in `subject`. */
function dataOf(event: unknown): Record<string, unknown> | null {
  if (!isRecord(event)) return null
  return isRecord(event['data']) ? event['data'] : event
}

export function readCamera(event: unknown): { camera: string; entry: StateEntry } | null {
  const data = dataOf(event)
  if (data === null || !isRecord(event)) return null
  const camera = data['camera'] ?? event['subject']
  const state = data['state']
  const since = data['since'] ?? event['time']
  if (typeof camera !== 'string' || typeof since !== 'string') return null
  if (typeof state !== 'string' || !STATES.includes(state)) return null
  const cause = typeof data['cause'] === 'string' ? (data['cause'] as CameraCause) : null
  return { camera, entry: { state: state as CameraState, since, cause } }
}

/** A whole thing with an id and a version; `words` are members that must be there as text. */
function readThing(event: unknown, words: readonly string[]): Record<string, unknown> | null {
  const data = dataOf(event)
  if (data === null || typeof data['id'] !== 'string' || typeof data['version'] !== 'number') return null
  return words.every((word) => typeof data[word] === 'string') ? data : null
}

export function readAlert(event: unknown): Alert | null {
  return readThing(event, ['state', 'title', 'first_at']) as Alert | null
}

export function readIncident(event: unknown): Incident | null {
  return readThing(event, ['stage', 'number', 'opened_at']) as Incident | null
}

export function readUnit(event: unknown): Unit | null {
  return readThing(event, ['status', 'code', 'fix_at']) as Unit | null
}

/** Cases are told by id alone: what is in them is fetched by those who may see it. */
export function readCaseId(event: unknown): string | null {
  return readThing(event, ['state'])?.['id'] as string | undefined ?? null
}
