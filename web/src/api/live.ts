/**
 * Live state: a snapshot (`/api/state`) kept current by server-sent events (`/api/events/stream?after=cursor`).
 *
 * `apply` is pure, and applying all events to an old snapshot gives what a fresh fetch gives; the link resumes
 * after the last event it has applied, so that a lost connection costs nothing but time.
 */
import { readAlert, readCamera, readIncident, readUnit, type LiveEvent } from './facts'
import type { Alert, Incident, StateSnapshot } from './wire'

export type { LiveEvent } from './facts'

type Versioned = { id: string; version: number }

/** A decided alert is no longer in the queue. */
const isOpenAlert = (alert: Alert): boolean => alert.state === 'unacknowledged' || alert.state === 'acknowledged'
const isOpenIncident = (incident: Incident): boolean => incident.closed_at === null

/** A snapshot in the making: each of its maps is copied at most once, and only where something in it changes. */
class Draft {
  private readonly copied = new Set<keyof StateSnapshot>()

  constructor(readonly state: StateSnapshot) {}

  take({ type, event }: LiveEvent): void {
    switch (type) {
      case 'sites.camera_state_changed': {
        const change = readCamera(event)
        if (change !== null) this.own('cameras')[change.camera] = change.entry
        return
      }
      case 'incidents.alert_changed':
        return this.replace('alerts', readAlert(event), isOpenAlert)
      case 'incidents.incident_changed':
        return this.replace('incidents', readIncident(event), isOpenIncident)
      case 'dispatch.unit_changed':
        return this.replace('units', readUnit(event), () => true)
    }
  }

  /** A thing takes the place of its older self; one that no longer belongs here goes out. */
  private replace<T extends Versioned>(name: 'alerts' | 'incidents' | 'units', thing: T | null, belongs: (thing: T) => boolean): void {
    if (thing === null) return
    const known = this.state[name][thing.id]
    if (known !== undefined && known.version > thing.version) return
    if (!belongs(thing) && known === undefined) return
    const things = this.own(name) as unknown as Record<string, T>
    if (belongs(thing)) things[thing.id] = thing
    else delete things[thing.id]
  }

  private own<K extends 'cameras' | 'alerts' | 'incidents' | 'units'>(name: K): StateSnapshot[K] {
    if (!this.copied.has(name)) {
      this.copied.add(name)
      this.state[name] = { ...this.state[name] }
    }
    return this.state[name]
  }
}

/** The snapshot after these events. One that is already in it changes nothing; an unknown one only moves the cursor. */
export function applyAll(state: StateSnapshot, events: readonly LiveEvent[]): StateSnapshot {
  const draft = new Draft({ ...state })
  for (const event of events) {
    if (event.cursor <= draft.state.cursor) continue
    draft.state.cursor = event.cursor
    draft.take(event)
  }
  return draft.state.cursor === state.cursor ? state : draft.state
}

export function apply(state: StateSnapshot, event: LiveEvent): StateSnapshot {
  return applyAll(state, [event])
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
