import { useMemo } from 'react'
import { useConfig } from '../../api/queries'
import type { Incident, Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import IncidentsPage from '../../rooms/incidents/IncidentsPage'
import type { PickMap } from '../../rooms/incidents/list/ReportDialog'
import { Still } from '../../rooms/video/Still'
import { Icon } from '../../ui/Icon'
import { PlaceMap, type PlaceLine, type PlacePoint } from '../../rooms/sites/PlaceMap'

const NOTHING = { cameras: [] as readonly string[], units: [] as readonly Unit[], lines: [] as readonly PlaceLine[] }
const NO_POINTS: readonly PlacePoint[] = []

function WhereMap({ place, onPick }: { place: { lon: number; lat: number } | null; onPick: (place: { lon: number; lat: number }) => void }) {
  const { t } = useI18n()
  const [lon = 0, lat = 0] = useConfig().data?.map.center ?? []
  const points = useMemo(() => (place === null ? NO_POINTS : [{ id: 'here', label: '', ...place }]), [place])
  // The middle stays that of the city: a map that jumps under a click is hard to aim on.
  return <PlaceMap label={t('incident.report.point')} points={points} {...NOTHING} middle={{ lon, lat }} inSight={[{ lon: lon + 0.04, lat: lat + 0.02 }]} onPick={onPick} />
}

/** The picture that it began with; an incident away from any camera has none. */
function Picture({ incident }: { incident: Incident }) {
  const { pick } = useI18n()
  if (incident.camera === null) return <Icon name="pin" size={26} />
  return <Still camera={incident.camera} at={incident.picture_at} box={incident.box} alt={pick({ name: incident.title, name_ur: incident.title_ur })} width={320} compact />
}

const pickMap: PickMap = (place, onPick) => <WhereMap place={place} onPick={onPick} />

/** The incidents, with a map for reporting one by hand. */
export default function IncidentsScreen() {
  return <IncidentsPage pickMap={pickMap} picture={(incident) => <Picture incident={incident} />} />
}
