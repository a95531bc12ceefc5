import { Link } from 'react-router'
import type { Case } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { Ltr } from '../../ui/Ltr'
import { useTime } from '../../ui/useTime'
import { CaseState } from './CaseState'
import classes from './Cases.module.css'

/** One case as a line that opens it. */
export function CaseRow({ one }: { one: Case }) {
  const { t, pick } = useI18n()
  const time = useTime()
  return (
    <li>
      <Link to={`/cases/${one.id}`} className={classes['row']} data-row data-case={one.id}>
        <span className={classes['number']}><Ltr>{one.number}</Ltr></span>
        <span className={classes['what']}>
          <b><bdi>{pick({ name: one.title, name_ur: one.title_ur })}</bdi></b>
          <small>{t('case.incident')} <Ltr>{one.incident_number}</Ltr></small>
        </span>
        <span className={classes['fact']}><small>{t('case.fir')}</small><b><Ltr>{one.fir_number}</Ltr></b></span>
        <span className={classes['fact']}><small>{t('case.station')}</small><bdi>{one.police_station}</bdi></span>
        <span className={classes['fact']}><small>{t('case.openedAt')} <bdi>{t('case.openedBy', { name: one.opened_by.name })}</bdi></small><bdi>{time.seen(one.opened_at)}</bdi></span>
        <CaseState state={one.state} />
      </Link>
    </li>
  )
}
