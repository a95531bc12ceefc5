import { useMemo } from 'react'
import { useMay } from '../../api/queries'
import { useProposals, useUnits } from '../../api/response'
import type { IncidentDetail, Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { PlaceMap } from '../../rooms/sites/PlaceMap'

const NO_UNITS: readonly Unit[] = []

const isOnIt = (unit: Unit, incident: string): boolean => unit.incident === incident && unit.status !== 'off_duty'

/** Where it is, who is on the way and who could be: the map keeps all of them in sight. */
export function IncidentPlace({ detail }: { detail: IncidentDetail }) {
  const { t } = useI18n()
  const { incident, cameras } = detail
  const units = useUnits() ?? NO_UNITS
  const isOpen = incident.stage !== 'closed'
  const proposals = useProposals(incident.id, useMay('dispatch_units') && isOpen)
  const nearest = proposals.data?.[0]?.unit.id
  const ids = useMemo(() => cameras.map(({ camera }) => camera), [cameras])
  const points = useMemo(
    () => [{ id: incident.id, lon: incident.lon, lat: incident.lat, label: incident.number }],
    [incident.id, incident.lon, incident.lat, incident.number],
  )
  const coming = useMemo(() => (isOpen ? units.filter((unit) => isOnIt(unit, incident.id)) : NO_UNITS), [units, incident.id, isOpen])
  const lines = useMemo(
    () => coming.filter((unit) => unit.status !== 'on_scene').map((unit) => ({ from: { lon: unit.lon, lat: unit.lat }, to: { lon: incident.lon, lat: incident.lat } })),
    [coming, incident.lon, incident.lat],
  )
  const inSight = coming.length > 0 ? coming : units.filter((unit) => isOpen && unit.id === nearest)
  return <PlaceMap label={t('incident.map')} points={points} cameras={ids} units={isOpen ? units : NO_UNITS} lines={lines} middle={incident} inSight={inSight} />
}
