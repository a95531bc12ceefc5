/** MapLibre behind the few verbs that a map of one place needs. */
import * as maplibre from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { FeatureCollection } from 'geojson'
import type { Language } from '../../../i18n/i18n'
import { color } from '../../../ui/theme'
import { addImages } from '../map/images'
import { addPin, addUnitImages } from '../map/unitImages'
import { cityStyle, NAMED_LAYERS } from '../map/style'
import { BUSY_ORDER } from './marks'

maplibre.setWorkerUrl(workerUrl)

export interface PlaceData {
  cameras: FeatureCollection
  wedges: FeatureCollection
  units: FeatureCollection
  points: FeatureCollection
  lines: FeatureCollection
}

export type Bounds = [[number, number], [number, number]]

const EMPTY: FeatureCollection = { type: 'FeatureCollection', features: [] }
const FACE = ['Inter Variable, Noto Naskh Arabic Variable, sans-serif']
const HALO = { 'text-halo-color': color.ground, 'text-halo-width': 1.8 }
/** Room for the marks and their names at the edge. */
const PADDING_PX = { top: 48, bottom: 44, left: 48, right: 48 }
/** Below this the marks of one crossing lie on each other. */
const CLOSEST_ZOOM = 16.5

function addLayers(map: maplibre.Map): void {
  addImages(map)
  addUnitImages(map)
  addPin(map)
  for (const name of ['units', 'points', 'lines']) map.addSource(name, { type: 'geojson', data: EMPTY })
  map.setLayerZoomRange('camera', 0, 24)
  map.setLayerZoomRange('wedge', 12.5, 24)
  map.addLayer({ id: 'line', type: 'line', source: 'lines', paint: { 'line-color': color.accent, 'line-width': 2, 'line-dasharray': [2, 2] } })
  // Two layers: of overlapping marks the busy one lies on top, and its name is the one that is kept.
  for (const [id, is] of [['unit', '<'], ['unit-busy', '==']] as const) {
    map.addLayer({
      id, type: 'symbol', source: 'units', filter: [is, ['get', 'order'], BUSY_ORDER],
      layout: {
        'icon-image': ['get', 'image'], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['get', 'order'],
        'text-field': ['get', 'code'], 'text-font': FACE, 'text-size': 12, 'text-anchor': 'top', 'text-offset': [0, 1.1], 'text-optional': true,
      },
      paint: { 'text-color': color.text, ...HALO },
    })
  }
  map.addLayer({
    id: 'point', type: 'symbol', source: 'points',
    layout: {
      // Names of places give way to it.
      'icon-image': 'pin', 'icon-anchor': 'bottom', 'icon-allow-overlap': true,
      'text-field': ['get', 'label'], 'text-font': FACE, 'text-size': 13, 'text-anchor': 'bottom', 'text-offset': [0, -2.6], 'text-allow-overlap': true,
    },
    paint: { 'text-color': color.text, ...HALO },
  })
}

interface PlaceMapOptions {
  container: HTMLElement
  city: FeatureCollection
  language: Language
  bounds: Bounds
  onPick: (at: { lon: number; lat: number }) => void
  /** The first whole picture stands. */
  onDrawn: () => void
}

export class PlaceGl {
  private readonly map: maplibre.Map
  private readonly ready: Promise<void>
  private isGone = false

  /** Raises where the browser has no WebGL 2. */
  constructor({ container, city, language, bounds, onPick, onDrawn }: PlaceMapOptions) {
    this.map = new maplibre.Map({
      container,
      style: cityStyle(city, language),
      bounds,
      fitBoundsOptions: { padding: PADDING_PX, maxZoom: CLOSEST_ZOOM },
      minZoom: 9,
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
    })
    this.map.touchZoomRotate.disableRotation()
    this.ready = new Promise((resolve) => {
      this.map.once('style.load', () => {
        addLayers(this.map)
        resolve()
      })
    })
    this.map.once('load', onDrawn)
    this.map.on('click', ({ lngLat }) => onPick({ lon: lngLat.lng, lat: lngLat.lat }))
  }

  private async whenReady(act: (map: maplibre.Map) => void): Promise<void> {
    await this.ready
    if (!this.isGone) act(this.map)
  }

  show(data: PlaceData): void {
    void this.whenReady((map) => {
      for (const name of Object.keys(data) as (keyof PlaceData)[]) map.getSource<maplibre.GeoJSONSource>(name)?.setData(data[name])
    })
  }

  speak(language: Language): void {
    void this.whenReady((map) => {
      for (const [layer, say] of Object.entries(NAMED_LAYERS)) map.setLayoutProperty(layer, 'text-field', say(language))
    })
  }

  fit(bounds: Bounds): void {
    void this.whenReady((map) => {
      map.fitBounds(bounds, { padding: PADDING_PX, maxZoom: CLOSEST_ZOOM, duration: 400 })
    })
  }

  remove(): void {
    this.isGone = true
    this.map.remove()
  }
}
