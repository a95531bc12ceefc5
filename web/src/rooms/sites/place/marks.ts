/** What a map of one place shows besides the city, as GeoJSON; pure. Positions are [longitude, latitude], WGS 84. */
import type { FeatureCollection, LineString, Point } from 'geojson'
import type { Unit } from '../../../api/wire'

export interface PlacePoint {
  id: string
  lon: number
  lat: number
  /** Under the mark; empty for none. */
  label: string
}

/** From a unit to where it goes, as the crow flies. */
export interface PlaceLine {
  from: { lon: number; lat: number }
  to: { lon: number; lat: number }
}

export type UnitTone = 'free' | 'busy' | 'off'

/** Three tones, not five: the word beside the map says the rest. */
export function toneOf(status: Unit['status']): UnitTone {
  if (status === 'free') return 'free'
  return status === 'off_duty' ? 'off' : 'busy'
}

/** Drawn last, so on top. */
export const BUSY_ORDER = 2

export const unitImage = (kind: Unit['kind'], tone: UnitTone): string => `unit-${kind}-${tone}`

export function unitMarks(units: readonly Unit[]): FeatureCollection<Point, { id: string; code: string; image: string; order: number }> {
  return {
    type: 'FeatureCollection',
    features: units.map((unit) => {
      const tone = toneOf(unit.status)
      return {
        type: 'Feature',
        geometry: { type: 'Point', coordinates: [unit.lon, unit.lat] },
        properties: { id: unit.id, code: unit.code, image: unitImage(unit.kind, tone), order: tone === 'busy' ? BUSY_ORDER : tone === 'free' ? 1 : 0 },
      }
    }),
  }
}

export function pointMarks(points: readonly PlacePoint[]): FeatureCollection<Point, { id: string; label: string }> {
  return {
    type: 'FeatureCollection',
    features: points.map(({ id, lon, lat, label }) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, label } })),
  }
}

export function lineMarks(lines: readonly PlaceLine[]): FeatureCollection<LineString, null> {
  return {
    type: 'FeatureCollection',
    features: lines.map(({ from, to }) => ({ type: 'Feature', geometry: { type: 'LineString', coordinates: [[from.lon, from.lat], [to.lon, to.lat]] }, properties: null })),
  }
}

/** Closer than this a street is all one sees. */
const LEAST_SPAN_DEG = 0.004

/** A box around the place and all of these, with the streets around the place at least. */
export function boundsAround(at: { lon: number; lat: number }, others: readonly { lon: number; lat: number }[]): [[number, number], [number, number]] {
  const lons = [at.lon - LEAST_SPAN_DEG, at.lon + LEAST_SPAN_DEG, ...others.map((one) => one.lon)]
  const lats = [at.lat - LEAST_SPAN_DEG, at.lat + LEAST_SPAN_DEG, ...others.map((one) => one.lat)]
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]]
}
