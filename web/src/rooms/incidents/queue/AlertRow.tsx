import { memo, type ReactNode } from 'react'
import type { Alert } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Icon, type IconName } from '../../../ui/Icon'
import { Ltr } from '../../../ui/Ltr'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useSay } from '../../../ui/useSay'
import { Due } from './DueBar'
import { holderOf, holdOf, type Hold, type Me } from './model'
import type { Place } from './usePlace'
import marks from './Marks.module.css'
import classes from './Queue.module.css'

const HOLD_ICONS: Record<Hold, IconName> = { own: 'check', for_you: 'user', held: 'user', offered: 'user', everyone: 'queue', supervisor: 'escalate' }

/** Whose it is, by icon and words. */
export function HoldFact({ alert, me, isFull = false }: { alert: Alert; me: Me; isFull?: boolean }) {
  const { t } = useI18n()
  const hold = holdOf(alert, me)
  return (
    <span className={marks['hold']} data-hold={hold} data-full={isFull || undefined}>
      <Icon name={HOLD_ICONS[hold]} size={14} />
      <span>{t(`alert.hold.${hold}`, { name: holderOf(alert) ?? '–' })}</span>
    </span>
  )
}

export function alertTitle(alert: Pick<Alert, 'title' | 'title_ur'>, language: string): string {
  return language === 'ur' && alert.title_ur !== '' ? alert.title_ur : alert.title
}

interface AlertRowProps {
  alert: Alert
  me: Me
  place: Place
  now: number
  isSelected: boolean
  thumb: ReactNode
  onSelect: (id: string) => void
}

/** One alert of the queue: the picture first, then how urgent, what, where, whose and how long there is. */
export const AlertRow = memo(function AlertRow({ alert, me, place, now, isSelected, thumb, onSelect }: AlertRowProps) {
  const { t, language } = useI18n()
  const { age } = useSay()
  const title = alertTitle(alert, language)
  return (
    <li
      id={`alert-${alert.id}`}
      role="option"
      aria-selected={isSelected}
      className={classes['row']}
      data-alert={alert.id}
      data-priority={alert.priority}
      data-hold={holdOf(alert, me)}
      onClick={() => onSelect(alert.id)}
    >
      <div className={classes['thumb']}>{thumb}</div>
      <div className={classes['words']}>
        <div className={classes['first']}>
          <PriorityMark priority={alert.priority} compact size={20} />
          <span className={classes['what']} title={title} dir="auto">{title}</span>
          {alert.count > 1 ? <span className={classes['count']} title={t('alert.count', { count: alert.count })}><Ltr>×{alert.count}</Ltr></span> : null}
        </div>
        <div className={classes['line']}>
          <span className={classes['where']} title={place.site}>{place.site === '' ? place.camera : `${place.camera} · ${place.site}`}</span>
          <span className={classes['age']}>{age((now - Date.parse(alert.first_at)) / 1000)}</span>
        </div>
        <div className={classes['line']}>
          <HoldFact alert={alert} me={me} />
          <Due alert={alert} now={now} />
        </div>
      </div>
    </li>
  )
})
