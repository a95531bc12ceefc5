import { useMemo } from 'react'
import { useCameras } from '../../api/queries'
import type { Alert } from '../../api/wire'
import { useI18n, type Translate } from '../../i18n/i18n'
import { words, type WordKey } from '../../i18n/words'
import QueuePage, { type QueueSlots } from '../../rooms/incidents/QueuePage'
import { ClipLoop } from '../../rooms/video/ClipLoop'
import { LiveTile } from '../../rooms/video/LiveTile'
import { Still } from '../../rooms/video/Still'

const THUMB_PX = 320

/** Beside the outline: the class in the page's language, with the question mark of a guess. */
function classLabel(name: string, t: Translate): string {
  const key = `class.${name.replace(/\?$/, '')}`
  return key in words ? `${t(key as WordKey)}${name.endsWith('?') ? '?' : ''}` : name
}

/** The queue with pictures of the video room. */
export default function QueueScreen() {
  const { t, language, pick } = useI18n()
  const cameras = useCameras().data
  const slots = useMemo<QueueSlots>(() => {
    const names = new Map(cameras?.map((camera) => [camera.id, pick(camera)]))
    const altOf = (alert: Alert): string =>
      t('alert.picture', { title: language === 'ur' && alert.title_ur !== '' ? alert.title_ur : alert.title, camera: names.get(alert.camera ?? '') ?? '' })
    return {
      thumb: (alert) => (alert.camera === null ? null : <Still compact camera={alert.camera} at={alert.picture_at} box={alert.box} alt={altOf(alert)} width={THUMB_PX} />),
      picture: (alert) =>
        alert.camera === null ? null : (
          <ClipLoop key={alert.id} camera={alert.camera} from={alert.clip_from} to={alert.clip_to} pictureAt={alert.picture_at} box={alert.box} label={classLabel(alert.object_class, t)} alt={altOf(alert)} />
        ),
      live: (camera) => <LiveTile camera={camera} />,
    }
  }, [cameras, language, pick, t])
  return <QueuePage slots={slots} />
}
