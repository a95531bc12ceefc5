import { describe, expect, it } from 'vitest'
import { apply, applyAll, EventParser, type LiveEvent } from './live'
import type { CameraState, StateEntry, StateSnapshot } from './wire'

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

/** A server that keeps the truth, remembers its events and hands out snapshots. */
class Server {
  cursor = 0
  cameras: Record<string, StateEntry> = {}
  events: LiveEvent[] = []

  constructor(private readonly dice: () => number) {}

  turn(): void {
    this.cursor += 1 + Math.floor(this.dice() * 3)
    const time = new Date(1_800_000_000_000 + this.cursor * 1000).toISOString()
    if (this.dice() < 0.2) {
      this.events.push({ cursor: this.cursor, type: 'video.segment_closed', event: { data: { camera: 'cam-1' } } })
      return
    }
    const camera = `cam-${Math.floor(this.dice() * 6)}`
    const state = STATES[Math.floor(this.dice() * 4)] ?? 'live'
    const entry: StateEntry = { state, since: time, cause: state === 'offline' ? 'link' : null }
    this.cameras = { ...this.cameras, [camera]: entry }
    this.events.push({
      cursor: this.cursor,
      type: 'sites.camera_state_changed',
      event: { id: `evt-${this.cursor}`, source: 'keeper', type: 'sites.camera_state_changed', time, subject: camera, data: { camera, ...entry } },
    })
  }

  snapshot(): StateSnapshot {
    return { cursor: this.cursor, cameras: this.cameras }
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
    const old: StateSnapshot = { cursor: 4, cameras: {} }
    const broken = { camera: 'cam-1', state: 'dancing', since: '2026-01-01T00:00:00Z' }
    expect(apply(old, { cursor: 5, type: 'later.thing_happened', event: {} })).toEqual({ cursor: 5, cameras: {} })
    expect(apply(old, { cursor: 5, type: 'sites.camera_state_changed', event: { data: broken } })).toEqual({ cursor: 5, cameras: {} })
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
