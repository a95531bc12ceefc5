import { describe, expect, it } from 'vitest'
import { EMPTY_REPORT, findFault, toNewIncident, writePlace, type Report } from './report'

const report = (part: Partial<Report>): Report => ({ ...EMPTY_REPORT, ...part })

describe('findFault', () => {
  it('names the first thing that is missing', () => {
    expect(findFault(report({ title: ' ab ' }))).toBe('what')
    expect(findFault(report({ title: 'Fire' }))).toBe('where')
    expect(findFault(report({ title: 'Fire', way: 'point' }))).toBe('where')
    expect(findFault(report({ title: 'Fire', way: 'point', place: 'Jinnah Road' }))).toBe('place')
    expect(findFault(report({ title: 'Fire', camera: 'cam_1' }))).toBeNull()
    expect(findFault(report({ title: 'آگ لگی', way: 'point', place: '30.2, 67.0' }))).toBeNull()
  })
})

describe('toNewIncident', () => {
  it('sends the place that was chosen last, and only that', () => {
    const both = { title: ' Fire ', camera: 'cam_1', place: '30.2, 67.01', note: ' x ' }
    expect(toNewIncident(report({ ...both, way: 'camera' }))).toEqual({ title: 'Fire', priority: 2, camera: 'cam_1', lon: null, lat: null, note: 'x' })
    expect(toNewIncident(report({ ...both, way: 'point' }))).toEqual({ title: 'Fire', priority: 2, camera: null, lon: 67.01, lat: 30.2, note: 'x' })
  })

  it('takes back what a click on the map wrote', () => {
    const place = writePlace({ lon: 67.0126123456, lat: 30.1984 })
    expect(place).toBe('30.19840, 67.01261')
    expect(toNewIncident(report({ title: 'Fire', way: 'point', place }))).toMatchObject({ lon: 67.01261, lat: 30.1984 })
  })
})
