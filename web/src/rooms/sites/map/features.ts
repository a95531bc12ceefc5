/** The registry and the live states as GeoJSON for the map; pure. Positions are [longitude, latitude], WGS 84. */
import type { Feature, FeatureCollection, Point, Polygon, Position } from 'geojson'
import type { Camera, CameraState, Site } from '../../../api/wire'
import { stateOf, worst, WORST_FIRST, type States } from '../states'

const METRES_PER_DEGREE = 111_320
/** Where the registry does not say how far a camera sees. */
const WEDGE_RANGE_M = 80
const WEDGE_STEP_DEG = 6
/** How far a camera's mark stands off its pole, towards where it looks, so that marks of one pole do not cover each other. */
const MARK_OFFSET_PX = 13
const MARK_STEP_PX = 17
/** Cameras of one site that look nearly the same way stand in a row instead of on each other. */
const SAME_WAY_DEG = 20

/** The point `distanceM` from another along a bearing; flat over a city block. */
export function along([lon, lat]: readonly [number, number], bearingDeg: number, distanceM: number): Position {
  const bearing = (bearingDeg * Math.PI) / 180
  const north = (Math.cos(bearing) * distanceM) / METRES_PER_DEGREE
  const east = (Math.sin(bearing) * distanceM) / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180))
  return [lon + east, lat + north]
}

/**
 * What the camera can see, as a sector with its point at the pole; a view of 360 degrees is a whole disc.
 * Null where the registry does not say which way it looks.
 */
export function wedge(camera: Camera): Polygon | null {
  const { bearing_deg: bearing, fov_deg } = camera
  if (bearing === null || fov_deg === null) return null
  const at: [number, number] = [camera.lon, camera.lat]
  const fov = Math.min(Math.max(fov_deg, 1), 360)
  const steps = Math.ceil(fov / WEDGE_STEP_DEG)
  const rim = Array.from({ length: steps + 1 }, (_, i) => along(at, bearing - fov / 2 + (fov * i) / steps, camera.range_m ?? WEDGE_RANGE_M))
  return { type: 'Polygon', coordinates: [[at, ...rim, at]] }
}

export interface CameraMark {
  id: string
  state: CameraState
  /** Trouble is drawn last, so on top. */
  order: number
  offset: [number, number]
}

const orderOf = (state: CameraState): number => WORST_FIRST.length - WORST_FIRST.indexOf(state)

const apart = (one: number, other: number): number => Math.abs(((one - other + 540) % 360) - 180)

/** How many cameras of the same site already look this way. */
function takePlace(taken: Map<string, number[]>, camera: Camera): number {
  const bearings = taken.get(camera.site) ?? []
  const mine = camera.bearing_deg ?? 0
  taken.set(camera.site, [...bearings, mine])
  return bearings.filter((bearing) => apart(bearing, mine) < SAME_WAY_DEG).length
}

export function cameraMarks(cameras: readonly Camera[], states: States): FeatureCollection<Point, CameraMark> {
  const taken = new Map<string, number[]>()
  return collection(
    cameras.map((camera) => {
      const { state } = stateOf(camera, states)
      const bearing = ((camera.bearing_deg ?? 0) * Math.PI) / 180
      const standsOff = MARK_OFFSET_PX + MARK_STEP_PX * takePlace(taken, camera)
      const offset: [number, number] = [Math.sin(bearing) * standsOff, -Math.cos(bearing) * standsOff]
      return point([camera.lon, camera.lat], { id: camera.id, state, order: orderOf(state), offset })
    }),
  )
}

export function wedges(cameras: readonly Camera[], states: States): FeatureCollection<Polygon, { id: string; state: CameraState }> {
  return collection(
    cameras.flatMap((camera) => {
      const geometry = wedge(camera)
      return geometry === null ? [] : [{ type: 'Feature' as const, geometry, properties: { id: camera.id, state: stateOf(camera, states).state } }]
    }),
  )
}

export interface SiteMark {
  id: string
  name: string
  name_ur: string
  state: CameraState
  order: number
  /** "5/6" where not all are live, empty otherwise: quiet where nothing is wrong. */
  count: string
}

export function siteMarks(sites: readonly Site[], cameras: readonly Camera[], states: States): FeatureCollection<Point, SiteMark> {
  const bySite = new Map<string, CameraState[]>()
  for (const camera of cameras) {
    const found = bySite.get(camera.site) ?? []
    found.push(stateOf(camera, states).state)
    bySite.set(camera.site, found)
  }
  return collection(
    sites.flatMap((site) => {
      const found = bySite.get(site.id)
      if (found === undefined) return []
      const state = worst(found)
      const live = found.filter((one) => one === 'live').length
      const count = live === found.length ? '' : `${live}/${found.length}`
      return [point([site.lon, site.lat], { id: site.id, name: site.name, name_ur: site.name_ur, state, order: orderOf(state), count })]
    }),
  )
}

function point<P>(coordinates: Position, properties: P): Feature<Point, P> {
  return { type: 'Feature', geometry: { type: 'Point', coordinates }, properties }
}

function collection<G extends Point | Polygon, P>(features: Feature<G, P>[]): FeatureCollection<G, P> {
  return { type: 'FeatureCollection', features }
}

/** Area-weighted middle of a ring (shoelace); flat over a city. */
function middleOf(ring: readonly Position[]): Position {
  let [area, lon, lat] = [0, 0, 0]
  const [lon0 = 0, lat0 = 0] = ring[0] ?? []
  ring.forEach(([x1 = 0, y1 = 0], i) => {
    const [x2 = 0, y2 = 0] = ring[(i + 1) % ring.length] ?? []
    const cross = (x1 - lon0) * (y2 - lat0) - (x2 - lon0) * (y1 - lat0)
    area += cross
    lon += (x1 + x2 - 2 * lon0) * cross
    lat += (y1 + y2 - 2 * lat0) * cross
  })
  return area === 0 ? [lon0, lat0] : [lon0 + lon / (3 * area), lat0 + lat / (3 * area)]
}

/** One point a district, so that its name stands once and not in each tile that the district is cut into. */
export function districtNames(city: FeatureCollection): FeatureCollection<Point, Feature['properties']> {
  return collection(
    city.features.flatMap(({ geometry, properties }) =>
      geometry.type === 'Polygon' && properties?.['kind'] === 'district' ? [point(middleOf(geometry.coordinates[0] ?? []), properties)] : [],
    ),
  )
}

/** South-west and north-east corner around all positions; null where there is none. */
export function boundsOf(things: readonly { lon: number; lat: number }[]): [[number, number], [number, number]] | null {
  if (things.length === 0) return null
  const lons = things.map((thing) => thing.lon)
  const lats = things.map((thing) => thing.lat)
  return [
    [Math.min(...lons), Math.min(...lats)],
    [Math.max(...lons), Math.max(...lats)],
  ]
}
