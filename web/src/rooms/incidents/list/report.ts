/** What a person reports, before it is sent; pure. */
import type { NewIncident } from '../../../api/wire'
import { readPlace } from '../../../lib/distance'

export interface Report {
  title: string
  way: 'camera' | 'point'
  camera: string | null
  /** "latitude, longitude" */
  place: string
  priority: 1 | 2 | 3 | 4
  note: string
}

export const EMPTY_REPORT: Report = { title: '', way: 'camera', camera: null, place: '', priority: 2, note: '' }

export type ReportFault = 'what' | 'where' | 'place'

/** What is still missing, in the order of the form; null where it can be sent. */
export function findFault({ title, way, camera, place }: Report): ReportFault | null {
  if (title.trim().length < 3) return 'what'
  if (way === 'camera') return camera === null ? 'where' : null
  if (place.trim() === '') return 'where'
  return readPlace(place) === null ? 'place' : null
}

/** Five decimals are a metre: more would claim what nobody knows. */
export function writePlace({ lon, lat }: { lon: number; lat: number }): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`
}

export function toNewIncident(report: Report): NewIncident {
  const { title, way, camera, place, priority, note } = report
  const at = way === 'point' ? readPlace(place) : null
  return { title: title.trim(), priority, camera: way === 'camera' ? camera : null, lon: at?.lon ?? null, lat: at?.lat ?? null, note: note.trim() }
}
