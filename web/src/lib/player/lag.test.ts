import { describe, expect, it } from 'vitest'
import { MAX_RATE, MAX_SETTLE_LAG_S, MAX_TARGET_LAG_S, MIN_RATE, removableEnd, startAt, steer, targetAfterCalm, targetAfterDry, TARGET_LAG_S } from './lag'
import { seeded } from './seeded'

const LATE = 10 // seconds since the start: settled

describe('steer', () => {
  it('brings any lag under a second to the target and holds it there', () => {
    const random = seeded(1)
    for (let run = 0; run < 50; run += 1) {
      let end = 100
      let at = end - 0.02 - random() * 0.97
      for (let tick = 0; tick < 120; tick += 1) {
        const { rate, seekTo } = steer(at, { start: 80, end }, TARGET_LAG_S, LATE)
        expect(seekTo).toBeNull()
        expect(rate).toBeGreaterThanOrEqual(MIN_RATE)
        expect(rate).toBeLessThanOrEqual(MAX_RATE)
        end += 0.25
        at = Math.min(end, at + 0.25 * rate)
      }
      expect(Math.abs(end - at - TARGET_LAG_S)).toBeLessThan(0.06)
    }
  })

  it('jumps to the target where the lag is over a second', () => {
    expect(steer(10, { start: 0, end: 11.2 }, TARGET_LAG_S, LATE)).toEqual({ rate: 1, seekTo: 11.2 - TARGET_LAG_S })
  })

  it('jumps sooner while the first pictures pour in', () => {
    const lag = MAX_SETTLE_LAG_S + 0.1
    expect(steer(10, { start: 0, end: 10 + lag }, TARGET_LAG_S, 0.1).seekTo).not.toBeNull()
    expect(steer(10, { start: 0, end: 10 + lag }, TARGET_LAG_S, LATE).seekTo).toBeNull()
  })

  it('jumps out of a gap, and never before what is buffered', () => {
    expect(steer(10, { start: 10.5, end: 10.6 }, TARGET_LAG_S, LATE).seekTo).toBe(10.5)
  })

  it('comes back where a new session counts from a smaller time', () => {
    expect(steer(500, { start: 2, end: 4 }, TARGET_LAG_S, LATE).seekTo).toBeCloseTo(4 - TARGET_LAG_S)
  })
})

describe('start, target and removal', () => {
  it('starts just before the newest picture', () => {
    expect(startAt({ start: 3, end: 5 })).toBeCloseTo(4.95)
    expect(startAt({ start: 4.98, end: 5 })).toBe(4.98)
  })

  it('gives a jittery line more room up to a limit, and takes it back', () => {
    let target = TARGET_LAG_S
    for (let i = 0; i < 50; i += 1) target = targetAfterDry(target)
    expect(target).toBe(MAX_TARGET_LAG_S)
    for (let i = 0; i < 50; i += 1) target = targetAfterCalm(target)
    expect(target).toBe(TARGET_LAG_S)
  })

  it('removes only what is long past, in steps', () => {
    expect(removableEnd(100, 95, 10)).toBeNull()
    expect(removableEnd(100, 89, 10)).toBeNull()
    expect(removableEnd(100, 80, 10)).toBe(90)
  })
})
