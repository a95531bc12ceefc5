/** Which tiles of the wall have something to see to; pure. */
import type { Alert } from '../../../api/wire'

export interface TileCall {
  /** The first of the queue at this camera. */
  alert: Alert
  /** Others that are open there. */
  more: number
}

/** By camera; alerts come in the order of the queue. */
export function callsOf(alerts: readonly Alert[]): ReadonlyMap<string, TileCall> {
  const calls = new Map<string, TileCall>()
  for (const alert of alerts) {
    if (alert.camera === null) continue
    const known = calls.get(alert.camera)
    calls.set(alert.camera, known === undefined ? { alert, more: 0 } : { ...known, more: known.more + 1 })
  }
  return calls
}

/** What the alert key does: from a tile that calls to its alert, else to the tile with the most urgent one. */
export type Jump = { alert: string } | { tile: number } | null

export function jump(tiles: readonly (string | null)[], selected: number, alerts: readonly Alert[]): Jump {
  const calls = callsOf(alerts)
  const here = calls.get(tiles[selected] ?? '')
  if (here !== undefined) return { alert: here.alert.id }
  const first = alerts.find((alert) => alert.camera !== null && tiles.includes(alert.camera))
  return first === undefined ? null : { tile: tiles.indexOf(first.camera) }
}
