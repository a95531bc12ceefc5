import { describe, expect, it } from 'vitest'
import type { Unit } from '../../../api/wire'
import { boundsAround, lineMarks, toneOf, unitMarks } from './marks'

const unit = (id: string, status: Unit['status']): Unit => ({ id, code: id, kind: 'police', status, lon: 67, lat: 30 }) as unknown as Unit

describe('boundsAround', () => {
  it('holds the place with its streets, and everything else', () => {
    const [[west, south], [east, north]] = boundsAround({ lon: 67, lat: 30.2 }, [])
    expect(east - west).toBeCloseTo(0.008, 9)
    expect(north - south).toBeCloseTo(0.008, 9)
    expect(boundsAround({ lon: 67, lat: 30.2 }, [{ lon: 67.1, lat: 30.1 }])).toEqual([[66.996, 30.1], [67.1, 30.204]])
  })
})

describe('unitMarks', () => {
  it('draw those at work on top of those that are free, and those off duty below', () => {
    const marks = unitMarks([unit('a', 'free'), unit('b', 'on_scene'), unit('c', 'off_duty')]).features.map(({ properties }) => properties)
    expect(marks.map(({ image }) => image)).toEqual(['unit-police-free', 'unit-police-busy', 'unit-police-off'])
    expect([...marks].sort((one, other) => one.order - other.order).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
  })

  it('know three tones', () => {
    expect((['free', 'sent', 'en_route', 'on_scene', 'off_duty'] as const).map(toneOf)).toEqual(['free', 'busy', 'busy', 'busy', 'off'])
  })
})

describe('lineMarks', () => {
  it('run from the unit to the place', () => {
    const [line] = lineMarks([{ from: { lon: 1, lat: 2 }, to: { lon: 3, lat: 4 } }]).features
    expect(line?.geometry.coordinates).toEqual([[1, 2], [3, 4]])
  })
})
