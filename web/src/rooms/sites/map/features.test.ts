import { describe, expect, it } from 'vitest'
import type { Camera, CameraState, Site } from '../../../api/wire'
import { notLive, wind, worst, type States } from '../states'
import { along, boundsOf, cameraMarks, districtNames, siteMarks, wedge } from './features'

const camera = (id: string, state: CameraState, bearing_deg = 90): Camera => ({
  id, code: id, site: 's1', name: id, name_ur: id, lon: 67, lat: 30.2, bearing_deg, fov_deg: 60, range_m: null, gate: null, state, since: '2026-01-01T00:00:00Z', cause: null,
})
const site: Site = { id: 's1', name: 'One', name_ur: 'ایک', district: 'd', lon: 67, lat: 30.2, cameras: [] }
const turned = (state: CameraState, minute: number): States[string] => ({ state, since: `2026-01-01T00:0${minute}:00Z`, cause: null })

/** Haversine, metres. */
function distance([lon1, lat1]: number[], [lon2, lat2]: number[]): number {
  const rad = Math.PI / 180
  const a = Math.sin((((lat2 ?? 0) - (lat1 ?? 0)) * rad) / 2) ** 2 + Math.cos((lat1 ?? 0) * rad) * Math.cos((lat2 ?? 0) * rad) * Math.sin((((lon2 ?? 0) - (lon1 ?? 0)) * rad) / 2) ** 2
  return 2 * 6_371_009 * Math.asin(Math.sqrt(a))
}

describe('wedge', () => {
  it('is a closed sector around the bearing', () => {
    const ring = wedge(camera('a', 'live'))?.coordinates[0] ?? []
    expect(ring[0]).toEqual([67, 30.2])
    expect(ring.at(-1)).toEqual(ring[0])
    const middle = ring[Math.floor(ring.length / 2)] ?? []
    expect(middle[0]).toBeGreaterThan(67)
    for (const point of ring.slice(1, -1)) expect(distance([67, 30.2], point)).toBeCloseTo(80, 0)
  })

  it('lies to the north for 0 degrees', () => {
    const [lon, lat] = along([67, 30.2], 0, 100)
    expect(lon).toBeCloseTo(67, 9)
    expect(lat).toBeGreaterThan(30.2)
  })
})

describe('marks', () => {
  it('take the live state before that of the registry', () => {
    const marks = cameraMarks([camera('a', 'live'), camera('b', 'live')], { a: turned('offline', 1) } as States)
    expect(marks.features.map((mark) => mark.properties.state)).toEqual(['offline', 'live'])
    expect(marks.features[0]?.properties.order).toBeGreaterThan(marks.features[1]?.properties.order ?? 9)
  })

  it('do not cover each other where two cameras of a site look the same way', () => {
    const [one, two] = cameraMarks([camera('a', 'live', 358), camera('b', 'live', 4)], {}).features
    expect(two?.properties.offset[1]).toBeLessThan((one?.properties.offset[1] ?? 0) - 10)
  })

  it('of a site show the worst, and a count only where something is wrong', () => {
    const cameras = [camera('a', 'live'), camera('b', 'live')]
    expect(siteMarks([site], cameras, {}).features[0]?.properties).toMatchObject({ state: 'live', count: '' })
    const states = { b: turned('stalled', 1) } as States
    expect(siteMarks([site], cameras, states).features[0]?.properties).toMatchObject({ state: 'stalled', count: '1/2' })
  })

  it('leave out a site without cameras', () => {
    expect(siteMarks([site], [], {}).features).toEqual([])
  })
})

describe('districtNames', () => {
  it('stand in the middle of their district, once', () => {
    const ring = [[66, 30], [68, 30], [68, 31], [66, 31], [66, 30]]
    const city = {
      type: 'FeatureCollection' as const,
      features: [
        { type: 'Feature' as const, geometry: { type: 'Polygon' as const, coordinates: [ring] }, properties: { kind: 'district', name: 'One' } },
        { type: 'Feature' as const, geometry: { type: 'Polygon' as const, coordinates: [ring] }, properties: { kind: 'zone' } },
      ],
    }
    const names = districtNames(city).features
    expect(names).toHaveLength(1)
    expect(names[0]?.geometry.coordinates[0]).toBeCloseTo(67, 9)
    expect(names[0]?.geometry.coordinates[1]).toBeCloseTo(30.5, 9)
  })
})

describe('states', () => {
  it('order trouble by its newest change', () => {
    const cameras = [camera('a', 'live'), camera('b', 'live'), camera('c', 'live')]
    const states = { a: turned('offline', 1), c: turned('stalled', 3) } as States
    expect(notLive(cameras, states).map(({ camera: { id } }) => id)).toEqual(['c', 'a'])
  })

  it('know the worst and the wind', () => {
    expect(worst(['live', 'stalled', 'offline'])).toBe('offline')
    expect(worst([])).toBe('unknown')
    expect([0, 359, 23, 180, -90].map(wind)).toEqual(['n', 'n', 'ne', 's', 'w'])
  })

  it('bound what there is', () => {
    expect(boundsOf([])).toBeNull()
    expect(boundsOf([{ lon: 67, lat: 30 }, { lon: 66, lat: 31 }])).toEqual([[66, 30], [67, 31]])
  })
})
