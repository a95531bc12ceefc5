/**
 * Live state: a snapshot (`/api/state`) kept current by server-sent events (`/api/events/stream?after=cursor`).
 *
 * `apply` is pure, and applying all events to an old snapshot gives what a fresh fetch gives; the link resumes
 * after the last event it has applied, so that a lost connection costs nothing but time.
 */
import type { CameraCause, CameraState, StateEntry, StateSnapshot } from './wire'

export interface LiveEvent {
  cursor: number
  type: string
  event: unknown
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const STATES: readonly string[] = ['live', 'stalled', 'offline', 'unknown'] satisfies CameraState[]

/** CloudEvents shape: the facts are in `data`, what they are about in `subject`. */
function cameraChange(event: unknown): { camera: string; entry: StateEntry } | null {
  if (!isRecord(event)) return null
  const data = isRecord(event['data']) ? event['data'] : event
  const camera = data['camera'] ?? event['subject']
  const state = data['state']
  const since = data['since'] ?? event['time']
  if (typeof camera !== 'string' || typeof since !== 'string') return null
  if (typeof state !== 'string' || !STATES.includes(state)) return null
  const cause = typeof data['cause'] === 'string' ? (data['cause'] as CameraCause) : null
  return { camera, entry: { state: state as CameraState, since, cause } }
}

/** The snapshot after this event. An event already in it changes nothing; an unknown one only moves the cursor. */
export function apply(state: StateSnapshot, { cursor, type, event }: LiveEvent): StateSnapshot {
  if (cursor <= state.cursor) return state
  const change = type === 'sites.camera_state_changed' ? cameraChange(event) : null
  if (change === null) return { ...state, cursor }
  return { cursor, cameras: { ...state.cameras, [change.camera]: change.entry } }
}

/** Many events at once, copying the cameras only once. */
export function applyAll(state: StateSnapshot, events: readonly LiveEvent[]): StateSnapshot {
  if (events.length < 8) return events.reduce(apply, state)
  let cursor = state.cursor
  const cameras = { ...state.cameras }
  for (const event of events) {
    if (event.cursor <= cursor) continue
    cursor = event.cursor
    const change = event.type === 'sites.camera_state_changed' ? cameraChange(event.event) : null
    if (change !== null) cameras[change.camera] = change.entry
  }
  return { cursor, cameras }
}

/** A message longer than this is not ours; the connection is dropped rather than memory filled. */
const LONGEST_MESSAGE = 1_000_000

/** Server-sent events (WHATWG HTML, 9.2) out of text as it arrives; keeps the unfinished rest between calls. */
export class EventParser {
  private rest = ''

  feed(text: string): LiveEvent[] {
    // A CR at the very end may be half of a CR LF: it waits for what follows.
    this.rest = (this.rest + text).replace(/\r\n|\r(?!\n|$)/g, '\n')
    const messages = this.rest.split('\n\n')
    this.rest = messages.pop() ?? ''
    if (this.rest.length > LONGEST_MESSAGE) throw new Error('An event longer than the limit')
    return messages.flatMap((message) => EventParser.read(message) ?? [])
  }

  private static read(message: string): LiveEvent | null {
    let id = ''
    let type = 'message'
    const data: string[] = []
    for (const line of message.split('\n')) {
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'id') id = value
      else if (field === 'event') type = value
      else if (field === 'data') data.push(value)
    }
    const cursor = Number(id)
    if (id === '' || !Number.isFinite(cursor) || data.length === 0) return null
    try {
      return { cursor, type, event: JSON.parse(data.join('\n')) as unknown }
    } catch {
      return null
    }
  }
}
