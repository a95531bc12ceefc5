import { useCallback, useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { useConfig } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { useNow } from '../../ui/useTime'
import { useTimeline, type Recorded } from './gateway'
import { AlertBand } from './playback/AlertBand'
import { CameraPicker } from './playback/CameraPicker'
import { CountsPanel } from './playback/CountsPanel'
import { ExportPanel } from './playback/ExportPanel'
import { markEnd, type ExportRange } from './playback/exportRange'
import { Legend } from './playback/Legend'
import { Picture } from './playback/Picture'
import { fetchWindow, keepInSight, notAhead, spanOf, viewAround, zoom } from './playback/timeline'
import { Timeline } from './playback/Timeline'
import { Transport } from './playback/Transport'
import { usePlayback } from './playback/usePlayback'
import { usePlaybackKeys } from './playback/usePlaybackKeys'
import { usePlaybackUrl, useRestingAt } from './playback/usePlaybackUrl'
import { useRegistry } from './wall/useWall'
import classes from './playback/Playback.module.css'

const FIRST_SPAN_MS = 3_600_000
const NOTHING: Recorded = { recorded: [], missing: [], recovered: [] }
const NO_RANGE: ExportRange = { from: null, to: null }

export default function PlaybackPage() {
  const { t } = useI18n()
  const navigate = useNavigate()
  const registry = useRegistry()
  const gateway = useConfig().data?.gateway
  const url = usePlaybackUrl()
  const now = useNow()
  const { camera } = url
  const video = useRef<HTMLVideoElement>(null)
  const stage = useRef<HTMLDivElement>(null)
  const timeInput = useRef<HTMLInputElement>(null)
  const { view, player, stream, seek } = usePlayback(video, { gateway, camera, startAt: url.startAt })
  const [sight, setSight] = useState(() => notAhead(viewAround(url.startAt, FIRST_SPAN_MS), now))
  const [range, setRange] = useState<ExportRange>(NO_RANGE)
  const [reason, setReason] = useState('')
  const timeline = useTimeline(camera, fetchWindow(sight))
  const data = timeline.data ?? NOTHING
  const { at, isPlaying } = view

  useRestingAt(url, at, !isPlaying && camera !== null)
  useEffect(() => setSight((shown) => keepInSight(shown, at, Date.now())), [at])
  useEffect(() => setRange(NO_RANGE), [camera])

  const goTo = useCallback((to: number) => seek(to), [seek])
  const toggle = () => (isPlaying ? player.current?.pause() : player.current?.play())
  const mark = (end: 'from' | 'to', to = at) => setRange((last) => markEnd(last, end, Math.min(to, now)))
  const full = () => void (document.fullscreenElement === null ? stage.current?.requestFullscreen() : document.exitFullscreen())
  usePlaybackKeys({
    at, rate: view.rate, seek: goTo, toggle, mark, full,
    step: (direction) => player.current?.step(direction),
    setRate: (rate) => player.current?.setRate(rate),
    zoom: (factor) => setSight(zoom(sight, at, factor)),
    goTo: () => timeInput.current?.focus(),
  })

  const entry = registry.entries.find((one) => one.camera.id === camera)
  const picker = <CameraPicker entries={registry.entries} camera={camera} onPick={(id) => url.write('camera', id)} />
  if (registry.error !== null) return <ErrorNotice error={registry.error} onRetry={registry.retry} />
  if (camera === null) {
    return <EmptyState icon="playback" title={t('video.playback.choose')} action={picker}>{t('video.playback.choose.do')}</EmptyState>
  }
  if (registry.isReady && entry === undefined) {
    return <EmptyState icon="camera" title={t('video.tile.unknown', { id: camera })} action={picker} />
  }
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('video.playback')}</h1>
      <div ref={stage} className={classes['stage']}>
        <Picture isSub={stream === 'sub'} video={video} camera={camera} view={view} data={data} onSkip={() => player.current?.skipGap()} onLive={() => void navigate(`/wall?n=1&c=${encodeURIComponent(camera)}`)} onRetry={() => seek(at)} />
      </div>
      <div className={classes['foot']}>
        <Transport view={view} spanMs={spanOf(sight)} timeInput={timeInput} onToggle={toggle} onStep={(direction) => player.current?.step(direction)} onRate={(rate) => player.current?.setRate(rate)} onSeek={goTo} onSpan={(span) => setSight(notAhead(viewAround(at, span), now))} />
        <Timeline camera={camera} view={sight} data={data} at={at} now={now} range={range} onView={setSight} onSeek={seek} onMark={mark} onToggle={toggle} />
        <AlertBand camera={camera} view={sight} at={at} onSeek={goTo} />
        {timeline.isError ? <ErrorNotice error={timeline.error} onRetry={() => void timeline.refetch()} /> : <Legend data={data} sight={sight} now={now} />}
      </div>
      <aside className={classes['side']}>
        {picker}
        {gateway === undefined ? null : <ExportPanel key={camera} gateway={gateway} camera={camera} range={range} reason={reason} recorded={data.recorded} now={now} onReason={setReason} onMark={mark} onShow={goTo} />}
        <CountsPanel key={`counts ${camera}`} camera={camera} />
      </aside>
    </div>
  )
}
