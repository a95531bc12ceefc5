/** What happens in the city as GeoJSON for the map, and the order in which it wants attention; pure. */
import type { Feature, FeatureCollection, Point } from 'geojson'
import type { Alert, Incident } from '../../../api/wire'

export interface AlertMark {
  /** Of the first in the queue at this place. */
  id: string
  priority: number
  /** "3" where several alerts are open at one place, empty for one. */
  count: string
  /** Urgent ones are drawn last, so on top. */
  order: number
}

const URGENT_LAST = 5

/** Alerts of one camera, or without one of one place, share a mark. */
const placeOf = (alert: Alert): string => alert.camera ?? `${alert.lon.toFixed(5)} ${alert.lat.toFixed(5)}`

/** One mark a place; alerts come in the order of the queue, so the first of a place is the one to see to. */
export function alertMarks(alerts: readonly Alert[]): FeatureCollection<Point, AlertMark> {
  const places = new Map<string, Feature<Point, AlertMark>>()
  const counts = new Map<string, number>()
  for (const alert of alerts) {
    const place = placeOf(alert)
    counts.set(place, (counts.get(place) ?? 0) + 1)
    const known = places.get(place)
    if (known !== undefined) {
      known.properties.count = String(counts.get(place))
      continue
    }
    const { id, priority, lon, lat } = alert
    places.set(place, { type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, priority, count: '', order: URGENT_LAST - priority } })
  }
  return { type: 'FeatureCollection', features: [...places.values()] }
}

export interface IncidentMark {
  id: string
  priority: number
  number: string
  order: number
}

/** "2026-000041" as it is said on the radio: the year is this year's. */
export function shortNumber(number: string): string {
  const [, running] = /^\d{4}-0*(\d+)$/.exec(number) ?? []
  return running ?? number
}

export function incidentMarks(incidents: readonly Incident[]): FeatureCollection<Point, IncidentMark> {
  return {
    type: 'FeatureCollection',
    features: incidents.map(({ id, priority, number, lon, lat }) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lon, lat] },
      properties: { id, priority, number: shortNumber(number), order: URGENT_LAST - priority },
    })),
  }
}

/** Where something calls: places of alerts that nobody has taken yet, the most urgent first. */
export function calling(alerts: readonly Alert[]): Feature<Point, AlertMark>[] {
  return alertMarks(alerts.filter((alert) => alert.state === 'unacknowledged')).features
}

/** The alert after this one in the queue; after the last, and from anywhere else, the first. */
export function nextAlert(alerts: readonly Alert[], current: string | null): Alert | null {
  const at = alerts.findIndex((alert) => alert.id === current)
  return alerts[at + 1] ?? alerts[0] ?? null
}
