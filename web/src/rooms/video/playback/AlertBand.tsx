import { useCameraAlerts } from '../../../api/scene'
import { useMay } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import type { Interval } from '../../../lib/player/intervals'
import { useKeys } from '../../../lib/keys'
import { Ltr } from '../../../ui/Ltr'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useTime } from '../../../ui/useTime'
import { marksOf, neighbour, startOf } from './alertMarks'
import classes from './AlertBand.module.css'

interface AlertBandProps {
  camera: string
  view: Interval
  at: number
  onSeek: (at: number) => void
}

/** The camera's alerts under its timeline, each a mark that leads to the beginning of its clip. */
export function AlertBand({ camera, view, at, onSeek }: AlertBandProps) {
  const { t, pick } = useI18n()
  const time = useTime()
  const mayList = useMay('list_alerts')
  const alerts = useCameraAlerts(camera)
  const go = (by: 1 | -1) => {
    const to = neighbour(alerts, at, by)
    if (to !== null) onSeek(startOf(to))
  }
  useKeys(mayList ? [
    { chord: 'n', label: t('video.keys.alert.next'), run: () => go(1) },
    { chord: 'b', label: t('video.keys.alert.previous'), run: () => go(-1) },
  ] : [])
  if (!mayList) return null
  const marks = marksOf(alerts, view)
  return (
    <div className={classes['band']} dir="ltr" role="group" aria-label={t('video.alerts')} data-testid="alert-band">
      {marks.length === 0 ? <span className={classes['none']} dir="auto">{t('video.alerts.none')}</span> : marks.map(({ alert, count, share }) => {
        const title = `${pick({ name: alert.title, name_ur: alert.title_ur })} · ${time.clock(alert.first_at)}`
        return (
          <button key={alert.id} type="button" className={classes['mark']} data-open={alert.state === 'unacknowledged' || alert.state === 'acknowledged' || undefined} style={{ insetInlineStart: `${share * 100}%` }} title={title} aria-label={title} onClick={() => onSeek(startOf(alert))}>
            <PriorityMark priority={alert.priority} compact size={16} />
            {count > 1 ? <Ltr>{count}</Ltr> : null}
          </button>
        )
      })}
    </div>
  )
}
