import { Ltr } from '../../../ui/Ltr'
import { useI18n } from '../../../i18n/i18n'
import { duration } from '../../../lib/time'
import type { Alert } from '../../../api/wire'
import { countdown } from './model'
import classes from './Marks.module.css'

interface DueProps {
  alert: Pick<Alert, 'due_at' | 'state'>
  now: number
  /** With the words for what will happen. */
  isFull?: boolean
}

/** How long until it escalates or lapses: a bar of the same length for the same time, and the time itself. */
export function Due({ alert, now, isFull = false }: DueProps) {
  const { t } = useI18n()
  const left = countdown(alert.due_at, now)
  if (left === null) return isFull ? null : <span className={classes['due']} />
  const words = alert.state === 'acknowledged' ? 'alert.due.lapses' : 'alert.due.escalates'
  return (
    <span className={classes['due']} data-soon={left.isSoon || undefined} data-full={isFull || undefined}>
      {isFull ? <span>{t(words)}</span> : null}
      {left.leftS === 0 ? <span>{t('alert.due.over')}</span> : <Ltr>{duration(left.leftS)}</Ltr>}
      <span className={classes['bar']} aria-hidden="true">
        <i style={{ inlineSize: `${left.share * 100}%` }} />
      </span>
    </span>
  )
}
