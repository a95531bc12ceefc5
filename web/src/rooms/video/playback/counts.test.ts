import { describe, expect, it } from 'vitest'
import { classesOf, dayStart, sum } from './counts'

describe('counts of a line', () => {
  it('begin at midnight of the city, not of the server', () => {
    expect(new Date(dayStart(Date.parse('2026-11-20T20:30:00Z'), 'Asia/Karachi')).toISOString()).toBe('2026-11-20T19:00:00.000Z')
    expect(new Date(dayStart(Date.parse('2026-11-20T18:30:00Z'), 'Asia/Karachi')).toISOString()).toBe('2026-11-19T19:00:00.000Z')
  })

  it('are added up and told apart, the most first', () => {
    expect(sum({ car: 3, truck: 1 })).toBe(4)
    expect(sum({})).toBe(0)
    expect(classesOf({ truck: 1, car: 3, person: 0 })).toEqual([['car', 3], ['truck', 1]])
  })
})
