import { describe, expect, it } from 'vitest'
import { clip, complement, endOfRun, mergeIntervals, totalMs, type Interval } from './intervals'
import { findJump, findStep, framesAt, lookAround, LOOK_GROWTH_MS, mergePictures, nextRate, planNext, RATES, type Plan } from './plan'
import { pick, seeded } from './seeded'

const HOUR = 3_600_000

describe('lookAround', () => {
  it('holds the instant and never reaches beyond now', () => {
    const random = seeded(11)
    for (let run = 0; run < 200; run += 1) {
      const now = 1e12
      const at = now - Math.floor(random() * 2 * HOUR)
      const look = lookAround(at, now)
      expect(look.from).toBeLessThan(at)
      expect(look.to).toBeGreaterThanOrEqual(at)
      expect(look.to).toBeLessThanOrEqual(now)
    }
  })
})

describe('planNext', () => {
  const look: Interval = { from: 0, to: 30 * 60_000 }
  const base = { now: HOUR, rate: 1 as const, look, covered: [] as Interval[], isScrubbing: false }

  it('asks for windows ahead that tile the look without overlap, at every rate, while playing', () => {
    const random = seeded(5)
    for (let run = 0; run < 60; run += 1) {
      const rate = pick(random, RATES)
      let at = Math.floor(random() * look.to)
      const begin = at
      let covered: Interval[] = []
      let asked = 0
      for (let step = 0; step < 4000 && at < look.to; step += 1) {
        const plan: Plan = planNext({ ...base, rate, at, covered })
        if (plan.kind === 'look') break
        if (plan.kind === 'wait') {
          at += 500 * rate
          continue
        }
        expect(plan.at).toBe(endOfRun(covered, at) || at)
        expect(plan.frames).toBe(framesAt(rate))
        expect(plan.seconds).toBeGreaterThan(0)
        const end = Math.min(look.to, plan.at + plan.seconds * 1000)
        asked += end - plan.at
        covered = mergeIntervals([...covered, { from: plan.at, to: end }])
        expect(totalMs(covered)).toBe(asked) // nothing asked for twice
        expect(endOfRun(covered, at) - at).toBeLessThanOrEqual(125_000)
      }
      expect(complement(covered, { from: begin, to: look.to })).toEqual([])
    }
  })

  it('asks for a new look outside of the old one, and at its end once more is recorded', () => {
    expect(planNext({ ...base, at: -1 })).toEqual({ kind: 'look', at: -1 })
    expect(planNext({ ...base, at: look.to + LOOK_GROWTH_MS + 1 }).kind).toBe('look')
    const all = [look]
    expect(planNext({ ...base, at: look.to - 1000, covered: all })).toEqual({ kind: 'look', at: look.to })
    expect(planNext({ ...base, at: look.to - 1000, covered: all, now: look.to + 1000 })).toEqual({ kind: 'wait' })
  })

  it('fetches little while scrubbing', () => {
    expect(planNext({ ...base, at: 5000, isScrubbing: true })).toMatchObject({ kind: 'fetch', seconds: 2 })
    expect(planNext({ ...base, at: 5000, isScrubbing: true, covered: [{ from: 5000, to: 6000 }] }).kind).toBe('wait')
  })
})

describe('findJump', () => {
  const hole = { from: 10_000, to: 25_000 }

  it('is due at the edge of a hole and inside it, not before', () => {
    const before = [{ from: 0, to: 10_000 }]
    expect(findJump(9_000, [hole], before, 0)).toBeNull()
    expect(findJump(9_900, [hole], before, 0)).toEqual({ from: 10_000, to: 25_000, isQuiet: false })
    expect(findJump(12_000, [hole], [], 0)).toMatchObject({ to: 25_000 })
  })

  it('says nothing of a hole that nobody notices', () => {
    expect(findJump(10_000, [{ from: 10_000, to: 10_400 }], [], 0)).toMatchObject({ isQuiet: true })
  })

  it('gets a playhead going that stands before buffered pictures', () => {
    const buffered = [{ from: 0, to: 10_000 }, { from: 10_200, to: 20_000 }]
    expect(findJump(9_990, [], buffered, 100)).toBeNull()
    expect(findJump(9_990, [], buffered, 500)).toEqual({ from: 10_000, to: 10_200, isQuiet: true })
    expect(findJump(5_000, [], buffered, 500)).toBeNull() // slow, but there is something to show
  })

  it('always leads forward and out of every hole', () => {
    const random = seeded(23)
    for (let run = 0; run < 500; run += 1) {
      const holes = mergeIntervals(Array.from({ length: 5 }, () => {
        const from = Math.floor(random() * 60_000)
        return { from, to: from + 1 + Math.floor(random() * 8_000) }
      }))
      const buffered = complement(holes, { from: 0, to: 80_000 })
      const at = Math.floor(random() * 60_000)
      const jump = findJump(at, holes, buffered, random() * 1000)
      if (jump === null) continue
      expect(jump.to).toBeGreaterThan(at)
      expect(clip(holes, { from: jump.to, to: jump.to + 1 })).toEqual([])
    }
  })
})

describe('steps', () => {
  it('finds the neighbours of the picture on the screen, as a search from the start would', () => {
    const random = seeded(31)
    const pictures = mergePictures([], Array.from({ length: 200 }, () => Math.floor(random() * 20_000)))
    for (let run = 0; run < 300; run += 1) {
      const at = Math.floor(random() * 20_000)
      const shown = pictures.filter((time) => time <= at + 1).at(-1)
      const index = shown === undefined ? -1 : pictures.indexOf(shown)
      expect(findStep(pictures, at, 1)).toBe(pictures[index + 1] ?? null)
      expect(findStep(pictures, at, -1)).toBe(index > 0 ? pictures[index - 1] : null)
    }
  })

  it('counts a picture that was fetched twice once', () => {
    expect(mergePictures([0, 66.667, 133.333], [66.6671, 200])).toEqual([0, 66.667, 133.333, 200])
  })

  it('keeps the speed inside its list', () => {
    expect(nextRate(1, -1)).toBe(1)
    expect(nextRate(1, 1)).toBe(2)
    expect(nextRate(16, 1)).toBe(16)
  })
})
