/** What the map shows besides the cameras, as far as the person's role lists it; and which of it is switched off. */
import { useCallback, useState } from 'react'
import { useMay } from '../../api/queries'
import { useOpenAlerts, useOpenIncidents, useUnits } from '../../api/response'
import type { Alert, Incident, Unit } from '../../api/wire'
import { useThrottled } from '../../lib/useThrottled'
import type { LayerChoice } from './Legend'
import { LAYERS, type LayerName } from './map/liveLayers'

const NONE: readonly never[] = []
/** Units report their position every few seconds; a map that twitches more often says no more. */
const REDRAW_EVERY_MS = 1_000
const STORED_AS = 'safecity.map.hidden'

export interface Happenings {
  /** The live state is there; before, nothing can be said to be gone. */
  isKnown: boolean
  alerts: readonly Alert[]
  incidents: readonly Incident[]
  units: readonly Unit[]
  layers: readonly LayerChoice[]
  hidden: readonly LayerName[]
  turn: (name: LayerName) => void
}

function stored(): readonly LayerName[] {
  const names = (window.localStorage.getItem(STORED_AS) ?? '').split(' ')
  return LAYERS.filter((name) => names.includes(name))
}

export function useHappenings(): Happenings {
  const may: Record<LayerName, boolean> = { alerts: useMay('list_alerts'), incidents: useMay('list_incidents'), units: useMay('list_units') }
  const open = useOpenAlerts()
  const alerts = open ?? NONE
  const incidents = useOpenIncidents() ?? NONE
  const units = useThrottled(useUnits() ?? NONE, REDRAW_EVERY_MS)
  const [hidden, setHidden] = useState(stored)
  const turn = useCallback((name: LayerName) => {
    setHidden((before) => {
      const next = before.includes(name) ? before.filter((one) => one !== name) : [...before, name]
      window.localStorage.setItem(STORED_AS, next.join(' '))
      return next
    })
  }, [])
  const amounts: Record<LayerName, number> = { alerts: alerts.length, incidents: incidents.length, units: units.length }
  const layers = LAYERS.filter((name) => may[name]).map((name) => ({ name, amount: amounts[name], isShown: !hidden.includes(name) }))
  return { isKnown: open !== undefined, alerts, incidents, units, layers, hidden, turn }
}
