/** The map's own style: no tiles, no glyphs, no sprite, no outside host; all it shows comes from our API. */
import type { FeatureCollection } from 'geojson'
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from 'maplibre-gl'
import type { Language } from '../../../i18n/i18n'
import { color } from '../../../ui/theme'
import { districtNames } from './features'

/** From here on single cameras with their field of view; below, sites. */
export const CAMERA_ZOOM = 14.2

const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] }
const FACE = ['Inter Variable, Noto Naskh Arabic Variable, sans-serif']

const ROAD: Record<string, { colour: string; at12: number; at17: number; from: number }> = {
  street: { colour: '#1d2a3b', at12: 0.4, at17: 9, from: 12.6 },
  collector: { colour: '#26364c', at12: 0.9, at17: 13, from: 11.5 },
  arterial: { colour: '#32465f', at12: 1.8, at17: 18, from: 0 },
  ring: { colour: '#374d69', at12: 2.2, at17: 20, from: 0 },
  highway: { colour: '#405a7c', at12: 2.8, at17: 24, from: 0 },
}

/** The name in the page's language, or the other where there is only that. */
export function nameIn(language: Language): ExpressionSpecification {
  return language === 'ur' ? ['coalesce', ['get', 'name_ur'], ['get', 'name'], ''] : ['coalesce', ['get', 'name'], ['get', 'name_ur'], '']
}

/** Where single cameras show, the site at a gate carries the gate's name already. */
function placeName(language: Language): ExpressionSpecification {
  const name = nameIn(language)
  return ['step', ['zoom'], name, CAMERA_ZOOM, ['case', ['==', ['get', 'kind'], 'gate'], '', name]]
}

/** Each layer that names things, with what it says in a language. */
export const NAMED_LAYERS = { 'district-name': nameIn, 'road-name': nameIn, place: placeName, 'site-name': nameIn } as const

const kind = (...names: string[]): ExpressionSpecification => ['in', ['get', 'kind'], ['literal', names]]

const byState = (pick: (state: 'live' | 'stalled' | 'offline' | 'unknown') => string): ExpressionSpecification => [
  'match', ['get', 'state'], 'live', pick('live'), 'stalled', pick('stalled'), 'offline', pick('offline'), pick('unknown'),
]

function ground(): LayerSpecification[] {
  const roads = Object.entries(ROAD).map(([name, road]): LayerSpecification => ({
    id: `road-${name}`,
    type: 'line',
    source: 'city',
    minzoom: road.from,
    filter: ['all', kind('road'), ['==', ['get', 'class'], name]],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': road.colour, 'line-width': ['interpolate', ['exponential', 1.7], ['zoom'], 12, road.at12, 17, road.at17] },
  }))
  return [
    { id: 'ground', type: 'background', paint: { 'background-color': color.ground } },
    { id: 'district', type: 'fill', source: 'city', filter: kind('district'), paint: { 'fill-color': '#0f1620' } },
    { id: 'zone', type: 'fill', source: 'city', filter: kind('zone'), paint: { 'fill-color': color.accent, 'fill-opacity': 0.05 } },
    ...roads,
    { id: 'district-edge', type: 'line', source: 'city', filter: kind('district'), paint: { 'line-color': '#33455d', 'line-width': 1, 'line-dasharray': [4, 4], 'line-opacity': 0.8 } },
    { id: 'zone-edge', type: 'line', source: 'city', filter: kind('zone'), paint: { 'line-color': color.accent, 'line-width': 1, 'line-opacity': 0.45 } },
  ]
}

const HALO = { 'text-halo-color': color.ground, 'text-halo-width': 1.6 }

function labels(language: Language): LayerSpecification[] {
  return [
    {
      id: 'district-name', type: 'symbol', source: 'districts', maxzoom: 15,
      layout: { 'text-field': nameIn(language), 'text-font': FACE, 'text-size': ['interpolate', ['linear'], ['zoom'], 11, 12, 14, 17], 'text-letter-spacing': 0, 'text-max-width': 8, 'symbol-sort-key': 2 },
      paint: { 'text-color': '#7d90a8', ...HALO },
    },
    {
      id: 'road-name', type: 'symbol', source: 'city', minzoom: 13, filter: kind('road'),
      layout: { 'symbol-placement': 'line', 'text-field': nameIn(language), 'text-font': FACE, 'text-size': 12, 'symbol-spacing': 400 },
      paint: { 'text-color': '#8ea0b6', ...HALO },
    },
    {
      id: 'place', type: 'symbol', source: 'city', filter: kind('police', 'hospital', 'gate'),
      minzoom: 11.8,
      layout: {
        'icon-image': ['concat', 'place-', ['get', 'kind']], 'icon-padding': 1,
        'text-field': placeName(language), 'text-font': FACE, 'text-size': 12, 'text-optional': true,
        'text-variable-anchor': ['top', 'bottom', 'left', 'right'], 'text-radial-offset': 1, 'text-max-width': 9,
        'symbol-sort-key': ['case', ['==', ['get', 'kind'], 'gate'], 0, 1], 'icon-allow-overlap': true,
      },
      paint: { 'text-color': color.textDim, ...HALO },
    },
  ]
}

function cameras(language: Language): LayerSpecification[] {
  return [
    { id: 'wedge', type: 'fill', source: 'wedges', minzoom: CAMERA_ZOOM, paint: { 'fill-color': byState((state) => color[state]), 'fill-opacity': 0.13 } },
    { id: 'wedge-chosen', type: 'fill', source: 'wedges', minzoom: CAMERA_ZOOM, filter: ['==', ['get', 'id'], ''], paint: { 'fill-color': color.accent, 'fill-opacity': 0.35 } },
    { id: 'chosen', type: 'circle', source: 'sites', filter: ['==', ['get', 'id'], ''], paint: { 'circle-radius': 17, 'circle-color': color.accent, 'circle-opacity': 0.18, 'circle-stroke-color': color.accent, 'circle-stroke-width': 2 } },
    {
      id: 'site', type: 'symbol', source: 'sites', maxzoom: CAMERA_ZOOM,
      layout: {
        'icon-image': byState((state) => `state-${state}`), 'icon-allow-overlap': true, 'icon-ignore-placement': true,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 11, ['match', ['get', 'state'], 'live', 0.55, 0.85], 14, ['match', ['get', 'state'], 'live', 0.8, 1.1]],
        'text-field': ['step', ['zoom'], '', 10.8, ['get', 'count']], 'text-font': FACE, 'text-size': 12, 'text-optional': true, 'text-anchor': 'left', 'text-offset': [0.95, 0],
        'symbol-sort-key': ['get', 'order'],
      },
      paint: { 'text-color': color.text, ...HALO },
    },
    {
      id: 'camera', type: 'symbol', source: 'cameras', minzoom: CAMERA_ZOOM,
      layout: { 'icon-image': byState((state) => `state-${state}`), 'icon-size': 0.9, 'icon-allow-overlap': true, 'icon-ignore-placement': true, 'icon-offset': ['array', 'number', 2, ['get', 'offset']], 'symbol-sort-key': ['get', 'order'] },
    },
    {
      id: 'site-name', type: 'symbol', source: 'sites', minzoom: CAMERA_ZOOM,
      layout: { 'text-field': nameIn(language), 'text-font': FACE, 'text-size': 13, 'text-anchor': 'top', 'text-offset': [0, 2.1], 'text-max-width': 12 },
      paint: { 'text-color': color.text, ...HALO },
    },
  ]
}

export function cityStyle(city: FeatureCollection, language: Language): StyleSpecification {
  const empty = { type: 'geojson', data: NOTHING } as const
  return {
    version: 8,
    sources: { city: { type: 'geojson', data: city }, districts: { type: 'geojson', data: districtNames(city) }, sites: empty, cameras: empty, wedges: empty },
    layers: [...ground(), ...labels(language), ...cameras(language)],
  }
}
