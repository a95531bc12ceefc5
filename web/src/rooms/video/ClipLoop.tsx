import { useEffect, useMemo, useRef, useState } from 'react'
import { useConfig, useSession } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { ClipPlayer, loopOf, type ClipView } from '../../lib/player/clipPlayer'
import { useTime } from '../../ui/useTime'
import { BoxOutline, type ShareBox } from './BoxOutline'
import { playbackSource } from './gateway'
import { Still } from './Still'
import classes from './Still.module.css'

interface ClipLoopProps {
  camera: string
  from: string
  to: string
  /** The instant of the alert's own picture: shown until the clip moves, and outlined while the clip passes it. */
  pictureAt: string
  alt: string
  box?: ShareBox | null
  label?: string
}

/** The box is of one instant; this long before and after it the outline still helps the eye. */
const OUTLINED_MS = 700

/**
 * An alert's clip, muted, over and over, above its still: the picture is there first and stays where the clip cannot
 * be played. The stretch is the one of the first drawing; give it a `key` of the alert.
 */
export function ClipLoop({ camera, from, to, pictureAt, alt, box = null, label }: ClipLoopProps) {
  const { t } = useI18n()
  const time = useTime()
  const gateway = useConfig().data?.gateway
  const shift = useSession().data?.shift?.purpose
  const video = useRef<HTMLVideoElement>(null)
  const player = useRef<ClipPlayer | null>(null)
  const picture = Date.parse(pictureAt)
  const [clip] = useState(() => loopOf({ from: Date.parse(from), to: Date.parse(to) }, picture))
  const [view, setView] = useState<ClipView | null>(null)
  const source = useMemo(() => (gateway === undefined ? null : playbackSource(gateway, camera)), [gateway, camera])

  useEffect(() => {
    const element = video.current
    if (element === null || source === null) return undefined
    const made = new ClipPlayer(element, source, clip, setView)
    player.current = made
    return () => {
      player.current = null
      made.destroy()
    }
  }, [source, clip, shift])

  const isMoving = view?.status === 'playing' || view?.status === 'paused'
  const at = view?.at ?? clip.from
  const share = Math.min(1, Math.max(0, (at - clip.from) / Math.max(1, clip.to - clip.from)))
  const size = { width: video.current?.videoWidth || 16, height: video.current?.videoHeight || 9 }
  return (
    <div className={classes['frame']} data-loop={view?.status ?? 'loading'} data-camera={camera}>
      <Still camera={camera} at={pictureAt} alt={alt} box={box} {...(label === undefined ? {} : { label })} width={1280} />
      <video
        ref={video}
        className={classes['video']}
        data-hidden={isMoving ? undefined : true}
        data-state={view?.status ?? 'loading'}
        style={isMoving ? { background: '#000' } : undefined}
        muted
        playsInline
        disablePictureInPicture
        aria-label={alt}
        title={t('clip.toggle')}
        onClick={() => player.current?.toggle()}
      />
      {isMoving && box !== null && Math.abs(at - picture) < OUTLINED_MS ? <BoxOutline box={box} size={size} label={label} /> : null}
      <p className={classes['stamp']}>
        <bdi>{time.full(isMoving ? at : picture)}</bdi>
        {isMoving ? null : ` · ${t(view?.status === 'denied' || view?.status === 'failed' || view?.status === 'nothing' ? 'clip.still' : 'clip.loading')}`}
      </p>
      {isMoving ? (
        <div className={classes['progress']}>
          <i style={{ transform: `scaleX(${share})` }} />
        </div>
      ) : null}
    </div>
  )
}
