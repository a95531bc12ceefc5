import { describe, expect, it } from 'vitest'
import { pick, seeded } from '../../../lib/player/seeded'
import {
  clampSpan, fetchWindow, instantAt, keepInSight, MAX_SPAN_MS, MIN_SPAN_MS, notAhead, pan, parseTime, spanOf, ticks, tickStep, viewAround, xOf, zoneOffsetMs, zoom,
} from './timeline'

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0)
const KARACHI_MS = 5 * 3_600_000

const someView = (random: () => number) => viewAround(NOW - random() * 1e8, MIN_SPAN_MS + random() * MAX_SPAN_MS)

describe('places on the timeline', () => {
  it('an instant and its place agree both ways', () => {
    const random = seeded(1)
    for (let run = 0; run < 300; run += 1) {
      const view = someView(random)
      const at = view.from + random() * spanOf(view)
      expect(instantAt(xOf(at, view, 1000), view, 1000)).toBeCloseTo(at, 3)
    }
    expect(instantAt(-50, { from: 10, to: 20 }, 100)).toBe(10)
    expect(instantAt(5, { from: 10, to: 20 }, 0)).toBe(10)
  })

  it('zooming keeps the instant under the pointer where it is, within the limits', () => {
    const random = seeded(2)
    for (let run = 0; run < 300; run += 1) {
      const view = someView(random)
      const at = view.from + random() * spanOf(view)
      const zoomed = zoom(view, at, pick(random, [0.25, 0.8, 1.2, 4]))
      expect(xOf(at, zoomed, 1000)).toBeCloseTo(xOf(at, view, 1000), 3)
      expect(clampSpan(spanOf(zoomed))).toBeCloseTo(spanOf(zoomed), 3)
    }
  })

  it('pans by what it is told', () => {
    expect(pan({ from: 1, to: 5 }, 3)).toEqual({ from: 4, to: 8 })
  })

  it('keeps a moving playhead in sight and does not turn the page for nothing', () => {
    const random = seeded(3)
    for (let run = 0; run < 300; run += 1) {
      const view = someView(random)
      const at = Math.min(NOW, view.from + (random() * 3 - 1) * spanOf(view))
      const kept = keepInSight(view, at, NOW)
      expect(at).toBeGreaterThanOrEqual(kept.from)
      expect(at).toBeLessThanOrEqual(kept.to)
      expect(spanOf(kept)).toBeCloseTo(spanOf(view), 3)
      expect(keepInSight(kept, at, NOW)).toBe(kept)
    }
  })

  it('shows little of what has not happened', () => {
    const view = notAhead(viewAround(NOW, 3_600_000), NOW)
    expect(view.to - NOW).toBeCloseTo(0.06 * 3_600_000)
    const past = viewAround(NOW - 1e8, 3_600_000)
    expect(notAhead(past, NOW)).toBe(past)
  })
})

describe('written times', () => {
  it('stand at round local times, apart enough to be read', () => {
    const random = seeded(4)
    for (let run = 0; run < 200; run += 1) {
      const view = someView(random)
      const width = 300 + random() * 1600
      const step = tickStep(view, width)
      const found = ticks(view, step, KARACHI_MS)
      for (const at of found) expect((at + KARACHI_MS) % step).toBe(0)
      expect(xOf(view.from + step, view, width)).toBeGreaterThanOrEqual(80)
      expect(found.length).toBeGreaterThanOrEqual(1)
    }
  })

  it('knows the offset of a zone', () => {
    expect(zoneOffsetMs(NOW, 'Asia/Karachi')).toBe(KARACHI_MS)
    expect(zoneOffsetMs(NOW + 123, 'UTC')).toBe(0)
    expect(zoneOffsetMs(Date.UTC(2026, 6, 1), 'Europe/Berlin')).toBe(2 * 3_600_000)
  })

  it('reads a time as the city writes it', () => {
    expect(parseTime('17:00', NOW, KARACHI_MS)).toBe(NOW)
    expect(parseTime('17:00:09', NOW, KARACHI_MS)).toBe(NOW + 9000)
    expect(parseTime('2026-11-19 17:00', NOW, KARACHI_MS)).toBe(NOW - 86_400_000)
    // 20:30 UTC is already the next day in Quetta: the date is the city's.
    expect(parseTime('01:00', Date.UTC(2026, 10, 20, 20, 30), KARACHI_MS)).toBe(Date.UTC(2026, 10, 20, 20, 0))
    for (const wrong of ['', 'noon', '25:00', '12:60', '12:00:61', '12']) expect(parseTime(wrong, NOW, KARACHI_MS)).toBeNull()
  })
})

it('asks the server for a stretch that holds the view and stays put while it moves a little', () => {
  const random = seeded(5)
  for (let run = 0; run < 300; run += 1) {
    const view = someView(random)
    const asked = fetchWindow(view)
    expect(asked.from).toBeLessThan(view.from)
    expect(asked.to).toBeGreaterThan(view.to)
    expect(spanOf(asked)).toBeLessThan(6 * spanOf(view))
  }
  const still = new Set(Array.from({ length: 50 }, (_, i) => fetchWindow({ from: NOW + i * 1000, to: NOW + 3_600_000 + i * 1000 }).from))
  expect(still.size).toBeLessThanOrEqual(2)
})
