import { describe, expect, it } from 'vitest'
import { partsOf } from './ledgerParts'

describe('partsOf', () => {
  it('keeps every second once and leaves out what is empty', () => {
    const parts = partsOf({ recorded_s: 80_000, recovered_s: 0, missing_s: { power: 300, link: 5_000, disk: 0 }, unexplained_s: 100 })
    expect(parts.map((part) => part.key)).toEqual(['recorded', 'link', 'power', 'unexplained'])
    expect(parts.reduce((sum, part) => sum + part.seconds, 0)).toBe(85_400)
  })

  it('has nothing to draw for a day without cameras', () => {
    expect(partsOf({ recorded_s: 0, recovered_s: 0, missing_s: {}, unexplained_s: 0 })).toEqual([])
  })
})
