import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import { useCameras } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { Tile } from './wall/Tile'
import classes from './Still.module.css'

/** Whoever opens the recording of what just happened wants to see it happen. */
const REPLAY_MS = 5_000

/** A camera's live picture beside something else: large on the wall by a double click, its recording by its button. */
export function LiveTile({ camera: id, over, tools }: { camera: string; over?: ReactNode; tools?: ReactNode }) {
  const { t } = useI18n()
  const navigate = useNavigate()
  const camera = useCameras().data?.find((one) => one.id === id)
  const wall = `/wall?n=1&c=${encodeURIComponent(id)}`
  return (
    <div className={classes['frame']} data-live={id}>
      {camera === undefined ? (
        <div className={classes['reason']}>{t('video.tile.unknown', { id })}</div>
      ) : (
        <Tile
          key={id}
          camera={camera}
          isSelected={false}
          isLarge={false}
          over={over}
          tools={tools}
          onOpen={() => void navigate(wall)}
          onPlayback={(at) => void navigate(`/playback?camera=${encodeURIComponent(id)}&at=${new Date(at - REPLAY_MS).toISOString()}`)}
        />
      )}
    </div>
  )
}
