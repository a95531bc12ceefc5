/** MapLibre behind the few verbs that a map of one place needs. */
import * as maplibre from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { FeatureCollection } from 'geojson'
import type { Language } from '../../../i18n/i18n'
import { color } from '../../../ui/theme'
import { unitSigns, type UnitKind } from '../../../ui/UnitMark'
import { addImages, image, type Draw } from '../map/images'
import { cityStyle, NAMED_LAYERS } from '../map/style'
import { BUSY_ORDER, unitImage, type UnitTone } from './marks'

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

const TONES: Record<UnitTone, { ground: string; sign: string; rim: string }> = {
  free: { ground: color.raised, sign: color.text, rim: color.text },
  busy: { ground: color.accentStrong, sign: '#ffffff', rim: '#ffffff' },
  off: { ground: color.raised, sign: color.textDim, rim: color.lineStrong },
}

const unitMark =
  (kind: UnitKind, tone: UnitTone): Draw =>
  (context) => {
    const { ground, sign, rim } = TONES[tone]
    context.fillStyle = ground
    context.strokeStyle = rim
    context.lineWidth = 1
    context.beginPath()
    context.arc(8, 8, 7.2, 0, 2 * Math.PI)
    context.fill()
    context.stroke()
    context.translate(8, 8)
    context.scale(0.62, 0.62)
    context.translate(-8, -8)
    context.strokeStyle = sign
    context.lineWidth = 1.9
    context.stroke(new Path2D(unitSigns[kind]))
  }

/** A pin with its point at the place. */
const pin: Draw = (context) => {
  const shape = new Path2D('M8 15.300C4.500 11.300 2.900 8.700 2.900 6.200a5.100 5.100 0 1 1 10.200 0c0 2.500-1.600 5.100-5.100 9.100Z')
  context.fillStyle = color.text
  context.strokeStyle = color.ground
  context.lineWidth = 1.2
  context.fill(shape)
  context.stroke(shape)
  context.fillStyle = color.ground
  context.fill(new Path2D('M8 4a2.200 2.200 0 1 1 0 4.400A2.200 2.200 0 0 1 8 4Z'))
}

function addLayers(map: maplibre.Map): void {
  addImages(map)
  for (const kind of Object.keys(unitSigns) as UnitKind[]) {
    for (const tone of ['free', 'busy', 'off'] as const) map.addImage(unitImage(kind, tone), image(26, unitMark(kind, tone)), { pixelRatio: 2 })
  }
  map.addImage('pin', image(34, pin), { pixelRatio: 2 })
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
