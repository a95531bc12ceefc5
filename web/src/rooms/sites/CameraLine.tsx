import type { Camera, StateEntry } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { causePhrase } from '../../ui/cause'
import { Ltr } from '../../ui/Ltr'
import { StateShape } from '../../ui/StateShape'
import { useTime } from '../../ui/useTime'
import classes from './Map.module.css'

interface CameraLineProps {
  camera: Camera
  entry: StateEntry
  onOpen: (camera: string) => void
}

/** A camera in a list beside the map: its state, since when, and why. */
export function CameraLine({ camera, entry, onOpen }: CameraLineProps) {
  const { t, pick } = useI18n()
  const time = useTime()
  const cause = causePhrase(entry.cause)
  return (
    <li>
      <button type="button" data-row className={classes['cameraLine']} onClick={() => onOpen(camera.id)}>
        <StateShape state={entry.state} size={16} />
        <span>
          <b>{pick(camera)}</b>
          <small>
            {t('camera.since', { state: t(`state.${entry.state}`), time: time.seen(entry.since) })}
            {cause === null ? null : <> · {t(cause)}</>}
          </small>
        </span>
        <small><Ltr>{camera.code}</Ltr></small>
      </button>
    </li>
  )
}
