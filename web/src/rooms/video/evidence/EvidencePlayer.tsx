import { useEffect, useRef, useState } from 'react'
import { Button } from '@mantine/core'
import { Link, useNavigate } from 'react-router'
import { useConfig, useMay } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { duration } from '../../../lib/time'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { Ltr } from '../../../ui/Ltr'
import { useTimeline, type Recorded } from '../gateway'
import { Picture } from '../playback/Picture'
import { usePlayback } from '../playback/usePlayback'
import { Still } from '../Still'
import { wrapAt } from './loop'
import classes from './Evidence.module.css'

export interface EvidenceClip {
  camera: string
  from: number
  to: number
  /** The picture shown before it plays. */
  stillAt: number
  alt: string
}

const NOTHING: Recorded = { recorded: [], missing: [], recovered: [] }
/** The bar goes in tenths of a second. */
const BAR_STEP_MS = 100

/** Plays from its first drawing on, over and over, as long as it is mounted. */
function Playing({ clip, onStop }: { clip: EvidenceClip; onStop: () => void }) {
  const { t } = useI18n()
  const navigate = useNavigate()
  const gateway = useConfig().data?.gateway
  const video = useRef<HTMLVideoElement>(null)
  const { view, player, seek } = usePlayback(video, { gateway, camera: clip.camera, startAt: clip.from })
  const { at, isPlaying } = view
  const known = useTimeline(clip.camera, { from: clip.from, to: clip.to }).data ?? NOTHING
  useEffect(() => {
    const back = wrapAt(at, clip)
    if (back !== null) seek(back)
  }, [at, clip, seek])
  const toggle = () => (isPlaying ? player.current?.pause() : player.current?.play())
  useKeys([{ chord: ' ', label: t('video.keys.toggle'), run: toggle }])
  const shown = Math.min(clip.to, Math.max(clip.from, at))
  return (
    <>
      <div className={classes['stage']}>
        <Picture video={video} camera={clip.camera} view={view} data={known} onSkip={() => player.current?.skipGap()} onLive={() => void navigate(`/wall?n=1&c=${encodeURIComponent(clip.camera)}`)} onRetry={() => seek(clip.from)} />
      </div>
      <div className={classes['bar']} dir="ltr">
        <Button size="compact-md" variant="default" onClick={toggle} aria-label={t(isPlaying ? 'video.pause' : 'video.play')}>
          <Icon name={isPlaying ? 'pause' : 'play'} size={18} />
        </Button>
        <input type="range" className={classes['range']} aria-label={t('video.timeline')} aria-valuetext={duration((shown - clip.from) / 1000)} min={0} max={clip.to - clip.from} step={BAR_STEP_MS} value={shown - clip.from} onChange={(event) => seek(clip.from + Number(event.currentTarget.value))} />
        <Ltr>{duration((shown - clip.from) / 1000)} / {duration((clip.to - clip.from) / 1000)}</Ltr>
        <Button size="compact-md" variant="subtle" color="gray" onClick={onStop}>{t('case.clip.stop')}</Button>
      </div>
    </>
  )
}

/** A clip of a case: its still first, and a press plays it in a loop, between its own ends. */
export function EvidencePlayer({ clip, chord }: { clip: EvidenceClip; chord?: string | undefined }) {
  const { t } = useI18n()
  const mayPlay = useMay('view_recordings')
  const [isPlaying, setPlaying] = useState(false)
  useKeys(mayPlay && chord !== undefined ? [{ chord, label: t('case.keys.play'), run: () => setPlaying((now) => !now) }] : [])
  const playback = `/playback?camera=${encodeURIComponent(clip.camera)}&at=${new Date(clip.from).toISOString()}`
  if (!mayPlay) return <p className={classes['sentence']}>{t('case.clip.role')}</p>
  return (
    <div className={classes['player']} data-playing={isPlaying}>
      {isPlaying ? <Playing clip={clip} onStop={() => setPlaying(false)} /> : (
        <>
          <div className={classes['stage']}>
            <Still camera={clip.camera} at={new Date(clip.stillAt).toISOString()} alt={clip.alt} width={1280} />
          </div>
          <div className={classes['bar']}>
            <Button leftSection={<Icon name="play" size={18} />} rightSection={chord === undefined ? null : <KeyHint chord={chord} />} onClick={() => setPlaying(true)} data-act="play">{t('case.clip.play')}</Button>
            <Button component={Link} to={playback} variant="subtle" color="gray" leftSection={<Icon name="playback" size={18} />}>{t('case.clip.playback')}</Button>
          </div>
        </>
      )}
    </div>
  )
}
