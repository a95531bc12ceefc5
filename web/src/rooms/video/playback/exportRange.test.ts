import { describe, expect, it } from 'vitest'
import { seeded } from '../../../lib/player/seeded'
import { findExportFault, markEnd, MAX_EXPORT_MS, MIN_EXPORT_MS, missingMs, type ExportRange } from './exportRange'

const NOW = 10_000_000
const REASON = 'FIR 123/26, Sariab'
const recorded = [{ from: 0, to: 5_000_000 }, { from: 5_060_000, to: NOW }]
const fault = (from: number | null, to: number | null, reason = REASON) => findExportFault({ range: { from, to }, reason, recorded, now: NOW })

describe('findExportFault', () => {
  it('names the first thing that is missing or wrong', () => {
    expect(fault(null, null)).toBe('start')
    expect(fault(1000, null)).toBe('end')
    expect(fault(1000, 1000 + MIN_EXPORT_MS - 1)).toBe('order')
    expect(fault(5000, 1000)).toBe('order')
    expect(fault(0, MAX_EXPORT_MS + 1)).toBe('long')
    expect(fault(NOW - 5000, NOW + 1)).toBe('future')
    expect(fault(5_000_000, 5_060_000)).toBe('empty')
    expect(fault(0, 60_000, ' short ')).toBe('reason')
    expect(fault(0, 60_000)).toBeNull()
    expect(fault(4_990_000, 5_070_000)).toBeNull()
  })

  it('counts what of the stretch is not there', () => {
    expect(missingMs({ from: 4_990_000, to: 5_070_000 }, recorded)).toBe(60_000)
    expect(missingMs({ from: 0, to: 60_000 }, recorded)).toBe(0)
    expect(missingMs({ from: null, to: 60_000 }, recorded)).toBe(0)
  })
})

it('marking either end never leaves a stretch that runs backwards', () => {
  const random = seeded(2)
  let range: ExportRange = { from: null, to: null }
  for (let step = 0; step < 1000; step += 1) {
    const end = random() < 0.5 ? 'from' : 'to'
    const at = Math.floor(random() * NOW)
    range = markEnd(range, end, at)
    expect(Math.abs((range[end] ?? 0) - at)).toBeLessThanOrEqual(500)
    if (range.from !== null && range.to !== null) expect(range.from).toBeLessThan(range.to)
  }
})
