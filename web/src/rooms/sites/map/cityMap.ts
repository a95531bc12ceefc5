/** MapLibre behind the few verbs the Map page needs; the only file that drives it. */
import * as maplibre from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { Feature, FeatureCollection, Point } from 'geojson'
import type { Language } from '../../../i18n/i18n'
import type { Chosen, ChosenKind } from '../chosen'
import type { AlertMark } from './happenings'
import { addImages } from './images'
import { addLiveLayers, LAYER_IDS, LAYERS, type LayerName } from './liveLayers'
import { Pulses } from './pulses'
import { CAMERA_ZOOM, cityStyle, NAMED_LAYERS } from './style'

maplibre.setWorkerUrl(workerUrl)

export interface Data {
  sites: FeatureCollection
  cameras: FeatureCollection
  wedges: FeatureCollection
}

/** What happens now, apart from the registry: it changes more often. */
export interface Live {
  alerts: FeatureCollection
  incidents: FeatureCollection
  units: FeatureCollection
  /** Places that call. */
  pulses: readonly Feature<Point, AlertMark>[]
}

interface CityMapOptions {
  container: HTMLElement
  city: FeatureCollection
  language: Language
  center: [number, number]
  zoom: number
  bounds: [[number, number], [number, number]] | null
  onChoose: (chosen: Chosen) => void
  /** The first whole picture of the city stands. */
  onDrawn: () => void
}

const CLOSE_ZOOM = 16.2
const KIND_OF: Record<string, ChosenKind> = { alert: 'alert', incident: 'incident', unit: 'unit', 'unit-busy': 'unit', camera: 'camera', site: 'site' }
/** A click may miss a mark by this much; fingers are not mice. */
const CLICK_REACH_PX = 8

export class CityMap {
  private readonly map: maplibre.Map
  private readonly ready: Promise<void>
  private isGone = false
  private readonly pulses: Pulses

  /** Raises where the browser has no WebGL 2. */
  constructor(private readonly options: CityMapOptions) {
    this.map = new maplibre.Map({
      container: options.container,
      style: cityStyle(options.city, options.language),
      center: options.center,
      zoom: options.zoom,
      minZoom: 9,
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
    })
    this.map.touchZoomRotate.disableRotation()
    this.pulses = new Pulses(this.map)
    this.ready = new Promise((resolve) => {
      this.map.once('style.load', () => {
        addImages(this.map)
        addLiveLayers(this.map)
        resolve()
      })
    })
    this.map.once('load', () => this.options.onDrawn())
    this.map.on('click', (event) => this.clicked(event.point))
    this.map.on('mousemove', (event) => {
      this.map.getCanvas().style.cursor = this.hit(event.point) === undefined ? '' : 'pointer'
    })
    this.home(false)
  }

  private hit({ x, y }: { x: number; y: number }): maplibre.MapGeoJSONFeature | undefined {
    const layers = Object.keys(KIND_OF).filter((layer) => this.map.getLayer(layer) !== undefined)
    if (!this.map.isStyleLoaded() && layers.length === 0) return undefined
    return this.map.queryRenderedFeatures(
      [
        [x - CLICK_REACH_PX, y - CLICK_REACH_PX],
        [x + CLICK_REACH_PX, y + CLICK_REACH_PX],
      ],
      { layers },
    )[0]
  }

  private clicked(at: { x: number; y: number }): void {
    const found = this.hit(at)
    const kind = found === undefined ? undefined : KIND_OF[found.layer.id]
    const id: unknown = found?.properties['id']
    this.options.onChoose(kind !== undefined && typeof id === 'string' ? { kind, id } : null)
  }

  private async whenReady(act: (map: maplibre.Map) => void): Promise<void> {
    await this.ready
    if (!this.isGone) act(this.map)
  }

  show(data: Data): void {
    void this.whenReady((map) => {
      for (const name of ['sites', 'cameras', 'wedges'] as const) map.getSource<maplibre.GeoJSONSource>(name)?.setData(data[name])
    })
  }

  showLive(live: Live): void {
    void this.whenReady((map) => {
      for (const name of LAYERS) map.getSource<maplibre.GeoJSONSource>(name)?.setData(live[name])
      this.pulses.show(live.pulses)
    })
  }

  /** Shows or hides whole kinds of marks. */
  switch(hidden: readonly LayerName[]): void {
    void this.whenReady((map) => {
      for (const name of LAYERS) {
        for (const id of LAYER_IDS[name]) map.setLayoutProperty(id, 'visibility', hidden.includes(name) ? 'none' : 'visible')
      }
    })
  }

  speak(language: Language): void {
    void this.whenReady((map) => {
      for (const [layer, say] of Object.entries(NAMED_LAYERS)) map.setLayoutProperty(layer, 'text-field', say(language))
    })
  }

  /** Rings the chosen site or happening and fills the chosen camera's view. */
  choose({ camera = '', site = '', at = null }: { camera?: string | undefined; site?: string | undefined; at?: { lon: number; lat: number } | null }): void {
    void this.whenReady((map) => {
      map.setFilter('wedge-chosen', ['==', ['get', 'id'], camera])
      map.setFilter('chosen', ['==', ['get', 'id'], site])
      const here: Feature[] = at === null ? [] : [{ type: 'Feature', geometry: { type: 'Point', coordinates: [at.lon, at.lat] }, properties: null }]
      map.getSource<maplibre.GeoJSONSource>('here')?.setData({ type: 'FeatureCollection', features: here })
    })
  }

  /** Brings a place into view; goes closer only where single cameras would not show. */
  goTo(at: { lon: number; lat: number }): void {
    void this.whenReady((map) => {
      const zoom = map.getZoom() < CAMERA_ZOOM ? CLOSE_ZOOM : map.getZoom()
      map.easeTo({ center: [at.lon, at.lat], zoom, duration: 500 })
    })
  }

  home(isSmooth = true): void {
    const { bounds } = this.options
    if (bounds !== null) this.map.fitBounds(bounds, { padding: Math.min(48, this.options.container.clientWidth / 20), maxZoom: 16, animate: isSmooth })
  }

  zoomBy(step: number): void {
    this.map.zoomTo(this.map.getZoom() + step, { duration: 200 })
  }

  remove(): void {
    this.isGone = true
    this.map.remove()
  }
}
