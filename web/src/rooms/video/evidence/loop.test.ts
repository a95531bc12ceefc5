import { describe, expect, it } from 'vitest'
import { recordedPart, wrapAt } from './loop'

const clip = { from: 100_000, to: 160_000 }

describe('wrapAt', () => {
  it('leaves the playhead alone inside the clip, and where the first key frame lies a little before it', () => {
    expect([100_000, 130_000, 159_999, 98_600].map((at) => wrapAt(at, clip))).toEqual([null, null, null, null])
  })

  it('goes back to the start from its end, and from anywhere else', () => {
    expect([160_000, 500_000, 90_000].map((at) => wrapAt(at, clip))).toEqual([100_000, 100_000, 100_000])
  })
})

describe('recordedPart', () => {
  it('never reaches into what is still being written', () => {
    expect(recordedPart(clip, 200_000)).toEqual(clip)
    expect(recordedPart(clip, 140_000)).toEqual({ from: 100_000, to: 137_000 })
    expect(recordedPart(clip, 90_000)).toEqual({ from: 100_000, to: 101_000 })
  })
})
