import { useEffect, useMemo, useRef, type ReactNode } from 'react'
import { useCameras } from '../../api/queries'
import type { Step } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { isSameDay } from '../../lib/time'
import { Ltr } from '../Ltr'
import { useSay } from '../useSay'
import { useTime } from '../useTime'
import { stepDetails, stepWords } from './steps'
import classes from './History.module.css'

function useCameraName(): (id: string) => string {
  const { pick } = useI18n()
  const cameras = useCameras().data
  return useMemo(() => {
    const names = new Map(cameras?.map((camera) => [camera.id, pick(camera)]))
    return (id) => names.get(id) ?? id
  }, [cameras, pick])
}

function Line({ step, withDay }: { step: Step; withDay: boolean }) {
  const { t } = useI18n()
  const time = useTime()
  const { distance } = useSay()
  const camera = useCameraName()
  const details = stepDetails(step, { t, distance, camera })
  return (
    <li className={classes['line']} data-step={step.step}>
      <time className={classes['time']} dateTime={step.at} title={time.full(step.at)}>
        {withDay ? <small>{time.day(step.at)}</small> : null}
        <Ltr>{time.clock(step.at)}</Ltr>
      </time>
      <div className={classes['what']}>
        <p>
          <b>{stepWords(step.step, t)}</b>
          {details.map((detail) => (
            <span key={detail.name} className={classes['detail']}>{detail.isCode ? <Ltr>{detail.text}</Ltr> : <bdi>{detail.text}</bdi>}</span>
          ))}
        </p>
        {step.note === '' ? null : <p className={classes['note']} dir="auto">{step.note}</p>}
        <p className={classes['who']}><bdi>{step.by === null ? t('incident.system') : step.by.name}</bdi></p>
      </div>
    </li>
  )
}

interface HistoryProps {
  steps: readonly Step[]
  label: string
  empty: string
  /** The entry for a new line, under the last. */
  entry?: ReactNode
}

/** Who did what and when, oldest first, the newest in sight. */
export function History({ steps, label, empty, entry }: HistoryProps) {
  const time = useTime()
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    // Only the list itself scrolls: the page stays where the person put it.
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight
  }, [steps.length])
  return (
    <div className={classes['history']}>
      {steps.length === 0 ? <p className={classes['empty']}>{empty}</p> : (
        <ol ref={list} className={classes['list']} aria-label={label} tabIndex={0}>
          {steps.map((step, index) => {
            const before = steps[index - 1]
            const withDay = before === undefined ? !isSameDay(Date.now(), step.at, time.place) : !isSameDay(before.at, step.at, time.place)
            return <Line key={`${step.at} ${index}`} step={step} withDay={withDay} />
          })}
        </ol>
      )}
      {entry}
    </div>
  )
}
