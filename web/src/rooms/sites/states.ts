/** States of several cameras as one, and what the registry and the live states say together. */
import type { Camera, CameraState, Site, StateEntry } from '../../api/wire'

/** Worst first: the order in which trouble is listed and drawn on top. */
export const WORST_FIRST: readonly CameraState[] = ['offline', 'stalled', 'unknown', 'live']

export type States = Readonly<Record<string, StateEntry>>

/** The live state where there is one, else what the registry knew when it was fetched. */
export function stateOf(camera: Camera, states: States): StateEntry {
  return states[camera.id] ?? { state: camera.state, since: camera.since, cause: camera.cause }
}

export function worst(found: readonly CameraState[]): CameraState {
  return WORST_FIRST.find((state) => found.includes(state)) ?? 'unknown'
}

export function countByState(cameras: readonly Camera[], states: States): Record<CameraState, number> {
  const counts: Record<CameraState, number> = { live: 0, stalled: 0, offline: 0, unknown: 0 }
  for (const camera of cameras) counts[stateOf(camera, states).state] += 1
  return counts
}

export interface Troubled {
  camera: Camera
  entry: StateEntry
}

/** Cameras that are not live, the latest change first. */
export function notLive(cameras: readonly Camera[], states: States): Troubled[] {
  return cameras
    .map((camera) => ({ camera, entry: stateOf(camera, states) }))
    .filter(({ entry }) => entry.state !== 'live')
    .sort((one, other) => (other.entry.since ?? '').localeCompare(one.entry.since ?? ''))
}

export function camerasOf(site: Site, cameras: readonly Camera[]): Camera[] {
  return cameras.filter((camera) => camera.site === site.id)
}

const WINDS = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const

/** The eighth of the compass that a bearing lies in. */
export function wind(bearingDeg: number): (typeof WINDS)[number] {
  const turned = ((bearingDeg % 360) + 360) % 360
  return WINDS[Math.round(turned / 45) % 8] ?? 'n'
}
