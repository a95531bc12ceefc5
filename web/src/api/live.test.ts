import { describe, expect, it } from 'vitest'
import { apply, applyAll, EventParser, type LiveEvent } from './live'
import type { Alert, CameraState, Incident, StateEntry, StateSnapshot, Unit } from './wire'

/** mulberry32: the same numbers each time for a seed. */
function random(seed: number): () => number {
  let a = seed
  return () => {
    a = (a + 0x6d2b79f5) | 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const STATES: readonly CameraState[] = ['live', 'stalled', 'offline', 'unknown']

const EMPTY = { alerts: {}, incidents: {}, units: {} }
const pickOf = <T,>(dice: () => number, from: readonly T[]): T => from[Math.floor(dice() * from.length)] as T

/** A server that keeps the truth, remembers its events and hands out snapshots of what is open. */
class Server {
  cursor = 0
  cameras: Record<string, StateEntry> = {}
  alerts: Record<string, Alert> = {}
  incidents: Record<string, Incident> = {}
  units: Record<string, Unit> = {}
  events: LiveEvent[] = []

  constructor(private readonly dice: () => number) {}

  turn(): void {
    this.cursor += 1 + Math.floor(this.dice() * 3)
    const time = new Date(1_800_000_000_000 + this.cursor * 1000).toISOString()
    pickOf(this.dice, [this.turnOther, this.turnCamera, this.turnAlert, this.turnAlert, this.turnIncident, this.turnUnit]).call(this, time)
  }

  snapshot(): StateSnapshot {
    const open = <T,>(all: Record<string, T>, isOpen: (thing: T) => boolean) => Object.fromEntries(Object.entries(all).filter(([, thing]) => isOpen(thing)))
    return {
      cursor: this.cursor,
      cameras: this.cameras,
      alerts: open(this.alerts, (alert) => alert.state === 'unacknowledged' || alert.state === 'acknowledged'),
      incidents: open(this.incidents, (incident) => incident.closed_at === null),
      units: this.units,
    }
  }

  private state(type: string, time: string, data: { id?: string; camera?: string | null }): void {
    const subject = data.id ?? data.camera ?? ''
    this.events.push({ cursor: this.cursor, type, event: { id: `evt-${this.cursor}`, source: 'keeper', type, time, subject, data } })
  }

  private turnOther(): void {
    this.events.push({ cursor: this.cursor, type: 'video.segment_closed', event: { data: { camera: 'cam-1' } } })
  }

  private turnCamera(time: string): void {
    const camera = `cam-${Math.floor(this.dice() * 6)}`
    const state = pickOf(this.dice, STATES)
    const entry: StateEntry = { state, since: time, cause: state === 'offline' ? 'link' : null }
    this.cameras = { ...this.cameras, [camera]: entry }
    this.state('sites.camera_state_changed', time, { camera, ...entry })
  }

  private turnAlert(time: string): void {
    const id = `alr-${Math.floor(this.dice() * 8)}`
    const state = pickOf(this.dice, ['unacknowledged', 'acknowledged', 'confirmed', 'closed'] as const)
    const alert = { id, version: (this.alerts[id]?.version ?? 0) + 1, state, title: 'Stopped vehicle', first_at: time } as Alert
    this.alerts = { ...this.alerts, [id]: alert }
    this.state('incidents.alert_changed', time, alert)
  }

  private turnIncident(time: string): void {
    const id = `inc-${Math.floor(this.dice() * 5)}`
    const isClosed = this.dice() < 0.3
    const incident = {
      id, version: (this.incidents[id]?.version ?? 0) + 1, number: '2026-000001', stage: isClosed ? 'closed' : 'on_scene', opened_at: time, closed_at: isClosed ? time : null,
    } as Incident
    this.incidents = { ...this.incidents, [id]: incident }
    this.state('incidents.incident_changed', time, incident)
  }

  private turnUnit(time: string): void {
    const id = `unt-${Math.floor(this.dice() * 4)}`
    const unit = { id, version: (this.units[id]?.version ?? 0) + 1, code: id, status: pickOf(this.dice, ['free', 'sent', 'off_duty']), fix_at: time, incident: null } as Unit
    this.units = { ...this.units, [id]: unit }
    this.state('dispatch.unit_changed', time, unit)
  }
}

function run(seed: number, turns: number): { old: StateSnapshot; server: Server } {
  const dice = random(seed)
  const server = new Server(dice)
  for (let i = Math.floor(dice() * 20); i > 0; i -= 1) server.turn()
  const old = server.snapshot()
  for (let i = 0; i < turns; i += 1) server.turn()
  return { old, server }
}

describe('apply', () => {
  it.each(Array.from({ length: 50 }, (_, seed) => seed))('old state + events = refetched state (seed %i)', (seed) => {
    const { old, server } = run(seed, 40)
    expect(server.events.reduce(apply, old)).toEqual(server.snapshot())
  })

  it.each(Array.from({ length: 20 }, (_, seed) => seed))('in batches of any size and with repeats, as the link does it (seed %i)', (seed) => {
    const { old, server } = run(seed, 40)
    const dice = random(seed + 1000)
    let state = old
    for (let at = 0; at < server.events.length; ) {
      const next = at + 1 + Math.floor(dice() * 15)
      state = applyAll(state, server.events.slice(Math.max(0, at - Math.floor(dice() * 4)), next))
      at = next
    }
    expect(state).toEqual(server.snapshot())
  })

  it('leaves the old state as it was', () => {
    const { old, server } = run(7, 30)
    const before = structuredClone(old)
    applyAll(old, server.events)
    expect(old).toEqual(before)
  })

  it('moves only the cursor for what it does not know or cannot read', () => {
    const old: StateSnapshot = { cursor: 4, cameras: {}, ...EMPTY }
    const broken = { camera: 'cam-1', state: 'dancing', since: '2026-01-01T00:00:00Z' }
    const moved = { ...old, cursor: 5 }
    expect(apply(old, { cursor: 5, type: 'later.thing_happened', event: {} })).toEqual(moved)
    expect(apply(old, { cursor: 5, type: 'sites.camera_state_changed', event: { data: broken } })).toEqual(moved)
    expect(apply(old, { cursor: 5, type: 'incidents.alert_changed', event: { data: { id: 'alr-1', state: 'closed' } } })).toEqual(moved)
    expect(apply(old, { cursor: 5, type: 'dispatch.unit_changed', event: null })).toEqual(moved)
  })

  it('never puts an older version in the place of a newer one', () => {
    const unit = (version: number): Unit => ({ id: 'unt-1', version, code: 'U1', status: 'free', fix_at: '2026-01-01T00:00:00Z' }) as Unit
    const old: StateSnapshot = { cursor: 4, cameras: {}, ...EMPTY, units: { 'unt-1': unit(7) } }
    expect(apply(old, { cursor: 5, type: 'dispatch.unit_changed', event: { data: unit(6) } }).units).toEqual(old.units)
    expect(apply(old, { cursor: 5, type: 'dispatch.unit_changed', event: { data: unit(8) } }).units['unt-1']?.version).toBe(8)
  })

  it('leaves the parts that did not change the very same, so that nothing is drawn anew for them', () => {
    const { old } = run(3, 0)
    const next = apply(old, { cursor: old.cursor + 1, type: 'incidents.alert_changed', event: { data: { id: 'alr-9', version: 1, state: 'unacknowledged', title: 't', first_at: '2026-01-01T00:00:00Z' } } })
    expect(Object.keys(next.alerts)).toContain('alr-9')
    for (const name of ['cameras', 'incidents', 'units'] as const) expect(next[name]).toBe(old[name])
    expect(apply(old, { cursor: old.cursor + 1, type: 'video.segment_closed', event: {} }).cameras).toBe(old.cameras)
  })
})

describe('EventParser', () => {
  const text =
    ': hello\n\nevent: sites.camera_state_changed\nid: 3\ndata: {"data":\ndata: {"a":1}}\n\nid: 4\r\nevent: x\r\ndata: {}\r\n\r\nid: 5\ndata: not json\n\n'
  const events = [
    { cursor: 3, type: 'sites.camera_state_changed', event: { data: { a: 1 } } },
    { cursor: 4, type: 'x', event: {} },
  ]

  it('reads messages, comments and data over several lines', () => {
    expect(new EventParser().feed(text)).toEqual(events)
  })

  it('does not care where the text is cut', () => {
    for (let size = 1; size < 20; size += 1) {
      const parser = new EventParser()
      const found: LiveEvent[] = []
      for (let at = 0; at < text.length; at += size) found.push(...parser.feed(text.slice(at, at + size)))
      expect(found).toEqual(events)
    }
  })

  it('gives up on a message without end', () => {
    const parser = new EventParser()
    expect(() => parser.feed('x'.repeat(1_000_001))).toThrow()
  })
})
