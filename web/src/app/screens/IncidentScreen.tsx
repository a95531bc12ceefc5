import type { IncidentDetail } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { UnitPanel } from '../../rooms/dispatch/UnitPanel'
import IncidentPage, { type IncidentSlots } from '../../rooms/incidents/IncidentPage'
import { ClipLoop } from '../../rooms/video/ClipLoop'
import { NearTiles } from '../../rooms/video/NearTiles'
import { EmptyState } from '../../ui/EmptyState'
import { IncidentPlace } from './IncidentPlace'

/** What was seen, in a loop; an incident that was reported away from any camera has no picture and says so. */
function Picture({ detail: { incident } }: { detail: IncidentDetail }) {
  const { t, pick } = useI18n()
  if (incident.camera === null) return <EmptyState icon="camera" title={t('incident.picture.none')} />
  return (
    <ClipLoop
      key={incident.id}
      camera={incident.camera}
      from={incident.clip_from}
      to={incident.clip_to}
      pictureAt={incident.picture_at}
      box={incident.box}
      alt={`${t('incident.picture')}: ${pick({ name: incident.title, name_ur: incident.title_ur })}`}
    />
  )
}

const slots: IncidentSlots = {
  picture: (detail) => <Picture detail={detail} />,
  tiles: (detail) => <NearTiles cameras={detail.cameras} />,
  map: (detail) => <IncidentPlace detail={detail} />,
  units: (detail) => <UnitPanel detail={detail} />,
}

/** An incident with pictures, map and units around it. */
export default function IncidentScreen() {
  return <IncidentPage slots={slots} />
}
