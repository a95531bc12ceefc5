import { useI18n } from '../../i18n/i18n'
import type { WordKey } from '../../i18n/words'
import { Icon } from '../../ui/Icon'
import { useSay } from '../../ui/useSay'
import { FRESH_S, type Progress } from './unitModel'
import classes from './Units.module.css'

type Status = Progress | 'free' | 'off_duty'

/** A filled disc while it is under way, a ring while free, a tick when done, a bar when off: shape and word. */
const shapes: Record<Status, { path: string; filled: boolean }> = {
  free: { path: 'M8 2.500a5.500 5.500 0 1 1 0 11 5.500 5.500 0 0 1 0-11Z', filled: false },
  sent: { path: 'M3 3l10.500 5L3 13l2-5-2-5Z', filled: false },
  en_route: { path: 'M3 3l10.500 5L3 13l2-5-2-5Z', filled: true },
  on_scene: { path: 'M8 1.800 14.200 8 8 14.200 1.800 8 8 1.800Z', filled: true },
  cleared: { path: 'm3 8.500 3.500 3.500L13 4.500', filled: false },
  cancelled: { path: 'M6 3.500 2.500 7 6 10.500M2.500 7H10a3.500 3.500 0 0 1 0 7H7', filled: false },
  off_duty: { path: 'M3 8h10', filled: false },
}

export function StatusMark({ status }: { status: Status }) {
  const { t } = useI18n()
  const { path, filled } = shapes[status]
  return (
    <span className={classes['status']} data-status={status}>
      <svg width="0.9rem" height="0.9rem" viewBox="0 0 16 16" className="sc-icon" aria-hidden="true" fill={filled ? 'currentColor' : 'none'} stroke="currentColor" strokeWidth={1.8} strokeLinejoin="round" strokeLinecap="round">
        <path d={path} />
      </svg>
      {t(`unit.status.${status}` as WordKey)}
    </span>
  )
}

/** How old the position is: quiet while fresh, flagged with a sign when the unit may be elsewhere. */
export function FixAge({ ageS, isStale }: { ageS: number; isStale: boolean }) {
  const { t } = useI18n()
  const { age } = useSay()
  if (!isStale && ageS < FRESH_S) return <span className={classes['fix']}>{t('unit.fix.now')}</span>
  return (
    <span className={classes['fix']} data-stale={isStale || undefined} title={isStale ? t('unit.fix.stale') : undefined}>
      {isStale ? <Icon name="warn" size={14} /> : null} {t('unit.fix', { age: age(ageS) })}
    </span>
  )
}
