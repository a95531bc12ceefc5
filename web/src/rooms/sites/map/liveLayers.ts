/** Alerts, incidents and units on the map of the city: their marks and their layers. */
import type { Map as GlMap } from 'maplibre-gl'
import { priorityOutlines, type Priority } from '../../../ui/PriorityMark'
import { color } from '../../../ui/theme'
import { BUSY_ORDER } from '../place/marks'
import { image, type Draw } from './images'
import { addUnitImages } from './unitImages'

/** What can be switched off. */
export const LAYERS = ['alerts', 'incidents', 'units'] as const
export type LayerName = (typeof LAYERS)[number]

export const LAYER_IDS: Record<LayerName, readonly string[]> = { alerts: ['alert'], incidents: ['incident'], units: ['unit', 'unit-busy'] }

export const PRIORITY_COLORS: Record<Priority, string> = { 1: color.offline, 2: color.stalled, 3: color.text, 4: color.textDim }
const PRIORITIES = [1, 2, 3, 4] as const

const FACE = ['Inter Variable, Noto Naskh Arabic Variable, sans-serif']
const HALO = { 'text-halo-color': color.ground, 'text-halo-width': 1.8 }
/** Units are named from here on; before, their marks are enough to see where they are. */
const NAMED_FROM_ZOOM = 12.8
const OPTIONS = { pixelRatio: 2 }

/** Outlines are drawn in 20 x 20, images in 16 x 16. */
const SCALE = 16 / 20

function digit(context: CanvasRenderingContext2D, text: string, paint: string, at: { x: number; y: number }): void {
  context.fillStyle = paint
  context.font = '750 7.500px "Inter Variable", sans-serif'
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.fillText(text, at.x, at.y)
}

/** As `PriorityMark` draws it: urgent ones solid, the others open on dark ground. */
const alertMark =
  (priority: Priority): Draw =>
  (context) => {
    const isSolid = priority <= 2
    const paint = PRIORITY_COLORS[priority]
    const outline = new Path2D(priorityOutlines[priority])
    context.save()
    context.translate(0.8, 0.8)
    context.scale(SCALE * 0.9, SCALE * 0.9)
    context.lineWidth = 4
    context.strokeStyle = color.ground
    context.stroke(outline)
    context.fillStyle = isSolid ? paint : color.ground
    context.fill(outline)
    context.lineWidth = 2
    context.strokeStyle = paint
    context.stroke(outline)
    context.restore()
    digit(context, String(priority), isSolid ? color.ground : paint, { x: 8, y: 8.4 })
  }

const PIN = 'M8 15.300C4.500 11.300 2.900 8.700 2.900 6.200a5.100 5.100 0 1 1 10.200 0c0 2.500-1.600 5.100-5.100 9.100Z'

/** A pin: an incident stands at a place; its digit is its priority. */
const incidentMark =
  (priority: Priority): Draw =>
  (context) => {
    const shape = new Path2D(PIN)
    context.fillStyle = color.raised
    context.strokeStyle = color.ground
    context.lineWidth = 3
    context.stroke(shape)
    context.fill(shape)
    context.strokeStyle = PRIORITY_COLORS[priority]
    context.lineWidth = 1.4
    context.stroke(shape)
    digit(context, String(priority), PRIORITY_COLORS[priority], { x: 8, y: 6.500 })
  }

function addImages(map: GlMap): void {
  addUnitImages(map)
  for (const priority of PRIORITIES) {
    map.addImage(`alert-${priority}`, image(30, alertMark(priority)), OPTIONS)
    map.addImage(`incident-${priority}`, image(38, incidentMark(priority)), OPTIONS)
  }
}

/** Over the city's own layers, least urgent kind first: units, incidents, alerts. */
export function addLiveLayers(map: GlMap): void {
  addImages(map)
  const nothing = { type: 'FeatureCollection' as const, features: [] }
  for (const name of [...LAYERS, 'here']) map.addSource(name, { type: 'geojson', data: nothing })
  map.addLayer({ id: 'here', type: 'circle', source: 'here', paint: { 'circle-radius': 21, 'circle-color': color.accent, 'circle-opacity': 0.16, 'circle-stroke-color': color.accent, 'circle-stroke-width': 2 } })
  for (const [id, is] of [['unit', '<'], ['unit-busy', '==']] as const) {
    map.addLayer({
      id, type: 'symbol', source: 'units', filter: [is, ['get', 'order'], BUSY_ORDER],
      layout: {
        'icon-image': ['get', 'image'], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['get', 'order'],
        'icon-size': ['interpolate', ['linear'], ['zoom'], 11, 0.7, 14, 0.95],
        'text-field': ['step', ['zoom'], '', NAMED_FROM_ZOOM, ['get', 'code']], 'text-font': FACE, 'text-size': 12, 'text-anchor': 'top', 'text-offset': [0, 1.1], 'text-optional': true,
      },
      paint: { 'text-color': color.text, ...HALO },
    })
  }
  map.addLayer({
    id: 'incident', type: 'symbol', source: 'incidents',
    layout: {
      'icon-image': ['concat', 'incident-', ['get', 'priority']], 'icon-anchor': 'bottom', 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['get', 'order'],
      'text-field': ['get', 'number'], 'text-font': FACE, 'text-size': 13, 'text-anchor': 'bottom', 'text-offset': [0, -2.9], 'text-optional': true,
    },
    paint: { 'text-color': color.text, ...HALO },
  })
  map.addLayer({
    id: 'alert', type: 'symbol', source: 'alerts',
    layout: {
      'icon-image': ['concat', 'alert-', ['get', 'priority']], 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'symbol-sort-key': ['get', 'order'],
      'text-field': ['case', ['==', ['get', 'count'], ''], '', ['concat', '×', ['get', 'count']]], 'text-font': FACE, 'text-size': 13, 'text-anchor': 'left', 'text-offset': [1.2, 0], 'text-optional': true,
    },
    paint: { 'text-color': color.text, ...HALO },
  })
}
