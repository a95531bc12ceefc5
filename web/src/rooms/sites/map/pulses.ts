/** A calm ring around places that call; moved by CSS on the compositor, so that the map itself is not redrawn for it. */
import * as maplibre from 'maplibre-gl'
import type { Feature, Point } from 'geojson'
import classes from '../Live.module.css'
import type { AlertMark } from './happenings'

/** More than this is a bad day, and rings would only be noise. */
const MOST = 40

export class Pulses {
  private readonly shown = new Map<string, maplibre.Marker>()

  constructor(private readonly map: maplibre.Map) {}

  show(places: readonly Feature<Point, AlertMark>[]): void {
    const wanted = new Map(places.slice(0, MOST).map((place) => [`${place.properties.id} ${place.properties.priority}`, place]))
    for (const [key, marker] of this.shown) {
      if (wanted.has(key)) continue
      marker.remove()
      this.shown.delete(key)
    }
    for (const [key, place] of wanted) {
      const [lon = 0, lat = 0] = place.geometry.coordinates
      const known = this.shown.get(key)
      if (known === undefined) this.shown.set(key, this.make(place.properties.priority).setLngLat([lon, lat]).addTo(this.map))
      else known.setLngLat([lon, lat])
    }
  }

  private make(priority: number): maplibre.Marker {
    const element = document.createElement('div')
    element.className = classes['pulse'] ?? ''
    element.dataset['priority'] = String(priority)
    element.setAttribute('aria-hidden', 'true')
    element.append(document.createElement('i'))
    return new maplibre.Marker({ element })
  }
}
