import { describe, expect, it } from 'vitest'
import { clip, complement, endOfRun, findInterval, findNext, mergeIntervals, overlapMs, totalMs, type Interval } from './intervals'
import { seeded } from './seeded'

const LENGTH = 40
const WINDOW: Interval = { from: 0, to: LENGTH }

/** A set of unit cells: the slow and obvious way to say the same. */
const cells = (intervals: readonly Interval[]): boolean[] =>
  Array.from({ length: LENGTH }, (_, at) => intervals.some((one) => one.from <= at && at < one.to))

function someIntervals(random: () => number): Interval[] {
  return Array.from({ length: Math.floor(random() * 7) }, () => {
    const from = Math.floor(random() * LENGTH)
    return { from, to: Math.min(LENGTH, from + Math.floor(random() * 9)) }
  })
}

describe('intervals agree with sets of cells', () => {
  const random = seeded(3)
  const cases = Array.from({ length: 300 }, () => someIntervals(random))

  it('merge keeps the set, sorted and apart', () => {
    for (const one of cases) {
      const merged = mergeIntervals(one)
      expect(cells(merged)).toEqual(cells(one))
      merged.forEach((interval, index) => index > 0 && expect(interval.from).toBeGreaterThan(merged[index - 1]!.to))
      expect(totalMs(one)).toBe(cells(one).filter(Boolean).length)
    }
  })

  it('complement is the other cells', () => {
    for (const one of cases) expect(cells(complement(one, WINDOW))).toEqual(cells(one).map((cell) => !cell))
  })

  it('endOfRun walks to the first cell that is not held', () => {
    for (const one of cases) {
      const held = cells(one)
      for (let at = 0; at < LENGTH; at += 1) {
        let end = at
        while (held[end] === true) end += 1
        expect(endOfRun(one, at)).toBe(end)
      }
    }
  })
})

it('finds, clips and joins', () => {
  const list = [{ from: 0, to: 5 }, { from: 8, to: 9 }]
  expect(findInterval(list, 5)).toBeNull()
  expect(findNext(list, 5)).toEqual({ from: 8, to: 9 })
  expect(findNext(list, 8)).toBeNull()
  expect(clip(list, { from: 4, to: 8 })).toEqual([{ from: 4, to: 5 }])
  expect(mergeIntervals(list, 3)).toEqual([{ from: 0, to: 9 }])
  expect(overlapMs({ from: 0, to: 5 }, { from: 3, to: 9 })).toBe(2)
})
