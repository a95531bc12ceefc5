import { describe, expect, it } from 'vitest'
import { bitrate, bytes, percent } from './amounts'
import { clockTime, dateTime, dayName, duration, isSameDay, timeSeenFrom, type Place } from './time'

const quetta: Place = { locale: 'en-GB', zone: 'Asia/Karachi' }
const urdu: Place = { locale: 'ur-PK-u-nu-latn', zone: 'Asia/Karachi' }

describe('instants', () => {
  it('are told in the time of the city, 24 hours', () => {
    expect(clockTime('2026-11-24T19:05:09Z', quetta)).toBe('00:05:09')
    expect(clockTime('2026-11-24T09:05:09Z', quetta)).toBe('14:05:09')
  })

  it('carry the date where it is another day there, not here', () => {
    const now = '2026-11-24T19:30:00Z'
    expect(timeSeenFrom(now, '2026-11-24T19:05:09Z', quetta)).toBe('00:05:09')
    expect(timeSeenFrom(now, '2026-11-24T18:59:59Z', quetta)).toBe('24 Nov 2026, 23:59:59')
    expect(isSameDay('2026-11-24T18:59:59Z', now, quetta)).toBe(false)
  })

  it('are told in Urdu with Latin digits', () => {
    expect(clockTime('2026-11-24T09:05:09Z', urdu)).toBe('14:05:09')
    expect(dateTime('2026-11-24T09:05:09Z', urdu)).toMatch(/24 نومبر.*2026.*14:05:09/)
    expect(dayName('2026-11-24T09:05:09Z', urdu)).toMatch(/منگل/)
    expect(dateTime('2026-11-24T09:05:09Z', urdu)).not.toMatch(/[\u06f0-\u06f9]/)
  })
})

describe('durations', () => {
  it.each([
    [0, '0\u00a0s'],
    [59.4, '59\u00a0s'],
    [59.6, '1:00'],
    [723, '12:03'],
    [11_523, '3:12:03'],
    [-5, '0\u00a0s'],
  ])('%d s is %s', (seconds, text) => expect(duration(seconds)).toBe(text))
})

describe('amounts', () => {
  it('have their unit and three figures', () => {
    expect(bytes(999)).toBe('999\u00a0B')
    expect(bytes(5_200_000)).toBe('5.20\u00a0MB')
    expect(bytes(41_230_000_000)).toBe('41.2\u00a0GB')
    expect(bitrate(4_000_000)).toBe('4\u00a0Mbit/s')
    expect(bitrate(512_400)).toBe('512\u00a0kbit/s')
  })

  it('never round to a false whole or a false nothing', () => {
    expect(percent(9_999, 10_000)).toBe('99.9\u00a0%')
    expect(percent(1, 1_000_000)).toBe('<\u00a00.1\u00a0%')
    expect(percent(1, 1)).toBe('100\u00a0%')
    expect(percent(0, 5)).toBe('0\u00a0%')
    expect(percent(0, 0)).toBe('–')
  })
})
