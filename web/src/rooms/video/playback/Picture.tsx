import { useEffect, useState, type RefObject } from 'react'
import { Button, Loader } from '@mantine/core'
import { useI18n } from '../../../i18n/i18n'
import { overlapMs, type Interval } from '../../../lib/player/intervals'
import type { PlaybackView } from '../../../lib/player/playbackPlayer'
import { UnplayableCodec } from '../../../lib/player/playbackScreen'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { useTime } from '../../../ui/useTime'
import { Glyph } from '../Glyph'
import type { CauseGap, Recorded } from '../gateway'
import { causeWords } from './TimelineBands'
import classes from './Playback.module.css'

const JUMP_SHOWN_MS = 7_000

/** The hole as the timeline knows it, with its true ends and its cause, where it knows it. */
function explain(hole: Interval, missing: readonly CauseGap[]): Interval & { readonly cause?: CauseGap['cause'] } {
  const overlap = (gap: CauseGap): number => overlapMs(gap, hole)
  return missing.filter((gap) => overlap(gap) > 0).sort((a, b) => overlap(b) - overlap(a))[0] ?? hole
}

/** "No recording 12:03:10–12:03:25: camera offline", for some seconds after a jump. */
function JumpNotice({ view, missing }: { view: PlaybackView; missing: readonly CauseGap[] }) {
  const { t } = useI18n()
  const time = useTime()
  const { jumped } = view
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (jumped === null) return undefined
    setShown(true)
    const timer = setTimeout(() => setShown(false), JUMP_SHOWN_MS)
    return () => clearTimeout(timer)
  }, [jumped])
  if (jumped === null || !shown) return null
  const gap = explain(jumped, missing)
  return (
    <p className={classes['jump']} role="status">
      <Glyph name="skip" size={18} />
      {t('video.gap.jumped', { from: time.clock(gap.from), to: time.clock(gap.to), cause: t(causeWords(gap.cause)) })}
    </p>
  )
}

function Gap({ gap, onSkip }: { gap: ReturnType<typeof explain>; onSkip: () => void }) {
  const { t } = useI18n()
  const time = useTime()
  return (
    <>
      <Glyph name="offline" size={36} />
      <p className={classes['big']}>{t('video.gap.here', { from: time.clock(gap.from), to: time.clock(gap.to) })}</p>
      <p>{t(causeWords(gap.cause))}</p>
      <Button onClick={onSkip} leftSection={<Glyph name="skip" size={18} />}>
        {t('video.gap.skip', { time: time.clock(gap.to) })}
      </Button>
    </>
  )
}

interface PictureProps {
  video: RefObject<HTMLVideoElement | null>
  camera: string | null
  view: PlaybackView
  data: Recorded
  onSkip: () => void
  onLive: () => void
  onRetry: () => void
  /** The main stream could not be played here. */
  isSub?: boolean
}

function Overlay({ view, data, onSkip, onLive, onRetry }: PictureProps) {
  const { t } = useI18n()
  switch (view.status) {
    case 'denied':
    case 'failed':
      return view.error instanceof UnplayableCodec ? <p className={classes['big']}>{t('video.playback.codec')}</p> : <ErrorNotice error={view.error} onRetry={onRetry} />
    case 'loading':
      return <Loader className={classes['loader'] ?? ''} aria-label={t('shell.loading')} />
    case 'gap':
      return view.gap === null ? null : <Gap gap={explain(view.gap, data.missing)} onSkip={onSkip} />
    case 'end':
      return (
        <>
          <Glyph name="now" size={36} />
          <p className={classes['big']}>{t('video.end')}</p>
          <Button variant="default" onClick={onLive}>{t('video.end.live')}</Button>
        </>
      )
    case 'ready':
      return null
  }
}

/** The recorded picture; whatever keeps it from being the picture of the chosen instant is said over it. */
export function Picture(props: PictureProps) {
  const { video, camera, view, data } = props
  const { t } = useI18n()
  const time = useTime()
  const isCovered = view.status !== 'ready' && !(view.status === 'loading' && view.pictureAt !== null)
  return (
    <div className={classes['picture']} data-covered={isCovered || undefined}>
      <video ref={video} className={classes['video']} data-camera={camera ?? ''} data-state={view.status} data-playing={view.isPlaying} muted playsInline disablePictureInPicture aria-label={t('video.playback')} />
      {isCovered || view.status === 'loading' ? (
        <div className={classes['overlay']} data-status={view.status}>
          <Overlay {...props} />
        </div>
      ) : null}
      <JumpNotice view={view} missing={data.missing} />
      <p className={classes['stamp']} data-picture-at={view.pictureAt ?? ''}>
        {view.pictureAt === null ? t('video.stamp.none') : time.full(view.pictureAt)}
        {props.isSub === true ? <small data-sub> · {t('video.playback.sub')}</small> : null}
      </p>
    </div>
  )
}
