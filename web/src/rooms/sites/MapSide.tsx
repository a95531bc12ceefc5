import type { ReactNode } from 'react'
import { useMay } from '../../api/queries'
import type { Camera, Site } from '../../api/wire'
import { AttentionList } from './AttentionList'
import { CameraPanel } from './CameraPanel'
import type { Chosen } from './chosen'
import { AlertCard, GoneCard, IncidentCard, UnitCard } from './happening/ThingCard'
import { SitePanel } from './SitePanel'
import type { States } from './states'
import type { Happenings } from './useHappenings'

export interface MapSideProps {
  chosen: Chosen
  onChoose: (chosen: Chosen) => void
  sites: readonly Site[]
  cameras: readonly Camera[]
  states: States
  happenings: Happenings
  /** A camera's live picture, from another room. */
  picture: ((camera: string) => ReactNode) | undefined
}

/** The card of what is chosen; null where nothing is. */
function useCard({ chosen, onChoose, cameras, happenings }: MapSideProps): ReactNode {
  const [mayQueue, mayIncidents] = [useMay('list_alerts'), useMay('list_incidents')]
  const cameraOf = (id: string | null) => cameras.find((one) => one.id === id)
  const { alerts, incidents, units, isKnown } = happenings
  if (!isKnown) return null
  if (chosen?.kind === 'alert') {
    const alert = alerts.find((one) => one.id === chosen.id)
    return alert === undefined ? <GoneCard kind="alert" id={chosen.id} mayOpen={mayQueue} onChoose={onChoose} /> : <AlertCard alert={alert} camera={cameraOf(alert.camera)} mayOpen={mayQueue} onChoose={onChoose} />
  }
  if (chosen?.kind === 'incident') {
    const incident = incidents.find((one) => one.id === chosen.id)
    return incident === undefined ? <GoneCard kind="incident" id={chosen.id} mayOpen={mayIncidents} onChoose={onChoose} /> : <IncidentCard incident={incident} camera={cameraOf(incident.camera)} mayOpen={mayIncidents} onChoose={onChoose} />
  }
  const unit = chosen?.kind === 'unit' ? units.find((one) => one.id === chosen.id) : undefined
  return unit === undefined ? null : <UnitCard unit={unit} incident={incidents.find((one) => one.id === unit.incident)} mayOpen={mayIncidents} onChoose={onChoose} />
}

/** Beside the map: a camera or a site takes it whole, anything else stands over the list of what wants attention. */
export function MapSide(props: MapSideProps) {
  const { chosen, onChoose, sites, cameras, states, happenings, picture } = props
  const card = useCard(props)
  const camera = chosen?.kind === 'camera' ? cameras.find((one) => one.id === chosen.id) : undefined
  if (camera !== undefined) return <CameraPanel key={camera.id} camera={camera} site={sites.find((one) => one.id === camera.site)} states={states} onChoose={onChoose} picture={picture} />
  const site = chosen?.kind === 'site' ? sites.find((one) => one.id === chosen.id) : undefined
  if (site !== undefined) return <SitePanel site={site} cameras={cameras} states={states} onChoose={onChoose} />
  return (
    <>
      {card}
      <AttentionList cameras={cameras} states={states} alerts={happenings.alerts} incidents={happenings.incidents} chosen={chosen} onChoose={onChoose} />
    </>
  )
}
