import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useI18n } from '../../../i18n/i18n'
import { findInterval, type Interval } from '../../../lib/player/intervals'
import { clockTime, dayName, shortTime } from '../../../lib/time'
import { useTime } from '../../../ui/useTime'
import type { Recorded } from '../gateway'
import type { ExportRange } from './exportRange'
import { ScrubPicture } from './ScrubPicture'
import { instantAt, spanOf, ticks, tickStep, xOf, zoneOffsetMs } from './timeline'
import { causeWords, TimelineBands } from './TimelineBands'
import { usePointer } from './usePointer'
import classes from './Timeline.module.css'

const SCALE_PX = 26
const BAND_PX = 40
const FOOT_PX = 20
const HEIGHT_PX = SCALE_PX + BAND_PX + FOOT_PX
const TIP_PX = 260
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

export interface TimelineProps {
  camera: string
  view: Interval
  data: Recorded
  at: number
  now: number
  range: ExportRange
  onView: (view: Interval) => void
  onSeek: (at: number, isScrubbing: boolean) => void
  onMark: (end: 'from' | 'to', at: number) => void
  onToggle: () => void
}

function Scale({ view, widthPx }: { view: Interval; widthPx: number }) {
  const { place } = useTime()
  const step = tickStep(view, widthPx)
  const offset = zoneOffsetMs(view.from, place.zone)
  const write = (at: number): string => {
    if ((at + offset) % DAY_MS === 0) return dayName(at, place)
    return step < MINUTE_MS ? clockTime(at, place) : shortTime(at, place)
  }
  return (
    <g className={classes['scale']} data-grip="pan">
      <rect width={widthPx} height={SCALE_PX} fill="transparent" />
      {ticks(view, step, offset).map((at) => {
        const x = xOf(at, view, widthPx)
        return (
          <g key={at}>
            <line x1={x} x2={x} y1={SCALE_PX - 5} y2={SCALE_PX + BAND_PX} />
            <text x={x} y={SCALE_PX - 9}>{write(at)}</text>
          </g>
        )
      })}
    </g>
  )
}

function Marks({ view, widthPx, range }: { view: Interval; widthPx: number; range: ExportRange }) {
  const { t } = useI18n()
  const [from, to] = [range.from, range.to].map((at) => (at === null ? null : xOf(at, view, widthPx)))
  const handle = (x: number, end: 'from' | 'to') => (
    <g className={classes['handle']} data-grip={end} data-mark={end}>
      <title>{t(`video.export.${end}`)}</title>
      <rect x={x - 9} y={SCALE_PX - 4} width={18} height={BAND_PX + 8} fill="transparent" />
      <line x1={x} x2={x} y1={SCALE_PX - 4} y2={SCALE_PX + BAND_PX + 4} />
      <path d={end === 'from' ? `M${x} ${SCALE_PX - 4}h8l-8 9z` : `M${x} ${SCALE_PX - 4}h-8l8 9z`} />
    </g>
  )
  return (
    <g>
      {from != null && to != null ? <rect x={from} y={SCALE_PX} width={Math.max(0, to - from)} height={BAND_PX} className={classes['range']} /> : null}
      {from == null ? null : handle(from, 'from')}
      {to == null ? null : handle(to, 'to')}
    </g>
  )
}

/** Recorded time as a picture one can take hold of. Time runs left to right in both languages, as on every player. */
export function Timeline({ camera, view, data, at, now, range, onView, onSeek, onMark, onToggle }: TimelineProps) {
  const { t } = useI18n()
  const time = useTime()
  const box = useRef<HTMLDivElement>(null)
  const [widthPx, setWidthPx] = useState(0)
  useEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setWidthPx(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const { hoverX, handlers } = usePointer(box, { view, widthPx, onView, onSeek, onMark })
  const x = xOf(at, view, widthPx)
  const nowX = xOf(now, view, widthPx)
  const hoverAt = hoverX === null ? null : instantAt(hoverX, view, widthPx)
  const hoverGap = hoverAt === null ? null : findInterval(data.missing, hoverAt)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== ' ') return
    event.preventDefault() // the slider has the focus, the space bar still plays and pauses
    onToggle()
  }
  return (
    <div ref={box} className={classes['box']} dir="ltr" role="slider" tabIndex={0} aria-label={t('video.timeline')} aria-valuemin={view.from} aria-valuemax={Math.min(view.to, now)} aria-valuenow={Math.round(at)} aria-valuetext={time.full(at)} onKeyDown={onKeyDown} {...handlers}>
      <svg width={widthPx} height={HEIGHT_PX} className={classes['svg']}>
        <rect y={SCALE_PX} width={widthPx} height={BAND_PX} className={classes['ground']} />
        {widthPx === 0 ? null : (
          <>
            <TimelineBands data={data} view={view} widthPx={widthPx} topPx={SCALE_PX} heightPx={BAND_PX} />
            <Scale view={view} widthPx={widthPx} />
            {nowX >= widthPx ? null : <rect x={nowX} y={SCALE_PX} width={Math.max(0, widthPx - Math.max(0, nowX))} height={BAND_PX} className={classes['future']} />}
            {nowX >= 0 && nowX < widthPx ? <line x1={nowX} x2={nowX} y1={SCALE_PX} y2={HEIGHT_PX - FOOT_PX} className={classes['now']} /> : null}
            <Marks view={view} widthPx={widthPx} range={range} />
            {x >= 0 && x <= widthPx ? (
              <g className={classes['head']}>
                <path d={`M${x - 7} ${SCALE_PX - 8}h14v6l-7 7-7-7z`} />
                <line x1={x} x2={x} y1={SCALE_PX} y2={SCALE_PX + BAND_PX + 4} />
              </g>
            ) : null}
            {hoverX === null ? null : <line x1={hoverX} x2={hoverX} y1={SCALE_PX} y2={SCALE_PX + BAND_PX} className={classes['hover']} />}
          </>
        )}
      </svg>
      {hoverX === null || hoverAt === null ? null : (
        <output className={classes['tip']} style={{ insetInlineStart: Math.min(Math.max(hoverX, TIP_PX / 2), Math.max(TIP_PX / 2, widthPx - TIP_PX / 2)) }}>
          {hoverAt < now && hoverGap === null ? <ScrubPicture camera={camera} at={hoverAt} spanMs={spanOf(view)} /> : null}
          <span dir="auto">{time.full(hoverAt)}</span>
          {hoverGap === null ? null : <span dir="auto">{t('video.gap.short', { cause: t(causeWords(hoverGap.cause)) })}</span>}
        </output>
      )}
      {nowX >= 0 && nowX < widthPx - 30 ? <span className={classes['nowWord']} style={{ insetInlineStart: nowX }}>{t('video.now')}</span> : null}
    </div>
  )
}
