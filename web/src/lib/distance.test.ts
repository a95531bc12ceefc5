import { describe, expect, it } from 'vitest'
import { metresBetween, readPlace, sayAge, sayDistance } from './distance'

describe('sayDistance', () => {
  it.each([[0, '0 m'], [4, '0 m'], [37, '40 m'], [994, '990 m'], [996, '1.0 km'], [1249, '1.2 km'], [19_960, '20.0 km'], [20_400, '20 km']])('%d m is %s', (metres, said) => {
    const { n, unit } = sayDistance(metres)
    expect(`${n} ${unit}`).toBe(said)
  })
})

describe('sayAge', () => {
  it.each([[0, '0 sec'], [59.9, '59 sec'], [60, '1 min'], [209, '3 min'], [7199, '119 min'], [7200, '2 hour'], [-5, '0 sec']])('%d s is %s', (seconds, said) => {
    const { n, unit } = sayAge(seconds)
    expect(`${n} ${unit}`).toBe(said)
  })
})

describe('metresBetween', () => {
  it('is a degree of latitude along a meridian, and nothing to itself', () => {
    expect(metresBetween({ lon: 67, lat: 30 }, { lon: 67, lat: 31 })).toBeCloseTo(111_195, -1)
    expect(metresBetween({ lon: 67, lat: 30 }, { lon: 67, lat: 30 })).toBe(0)
  })
})

describe('readPlace', () => {
  it('takes latitude first, with comma or blank, in either script of commas', () => {
    expect(readPlace('30.1984, 67.0126')).toEqual({ lat: 30.1984, lon: 67.0126 })
    expect(readPlace(' -30  67 ')).toEqual({ lat: -30, lon: 67 })
    expect(readPlace('30.1، 67.2')).toEqual({ lat: 30.1, lon: 67.2 })
  })

  it.each(['', '30.1984', 'Jinnah Road', '99, 67', '30, 181', '30,1,67'])('refuses %s', (text) => {
    expect(readPlace(text)).toBeNull()
  })
})
