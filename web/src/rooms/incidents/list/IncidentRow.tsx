import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { Incident } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { duration } from '../../../lib/time'
import { Ltr } from '../../../ui/Ltr'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useTime } from '../../../ui/useTime'
import { STAGES } from '../incident/next'
import classes from './IncidentList.module.css'

/** How far it has got, at a glance; the word above says the same. */
function Pips({ stage }: Pick<Incident, 'stage'>) {
  const at = STAGES.indexOf(stage)
  return (
    <span className={classes['pips']} aria-hidden="true">
      {STAGES.slice(0, -1).map((one, index) => <i key={one} data-done={index <= at || undefined} />)}
    </span>
  )
}

/** One incident as a line that opens it. */
export function IncidentRow({ incident, now, picture }: { incident: Incident; now: number; picture: ReactNode }) {
  const { t, pick } = useI18n()
  const time = useTime()
  const end = incident.closed_at === null ? now : Date.parse(incident.closed_at)
  const { outcome } = incident
  return (
    <li>
      <Link to={`/incidents/${incident.id}`} className={classes['row']} data-row data-incident={incident.id} data-stage={incident.stage}>
        <span className={classes['picture']}>{picture}</span>
        <PriorityMark priority={incident.priority} size={20} />
        <span className={classes['what']}>
          <b><bdi>{pick({ name: incident.title, name_ur: incident.title_ur })}</bdi></b>
          <small><Ltr>{incident.number}</Ltr>{incident.alerts > 1 ? ` · ${t('incident.alerts', { count: incident.alerts })}` : ''}</small>
        </span>
        <span className={classes['stage']} data-stage={incident.stage}>
          {t(`stage.${incident.stage}`)}
          {incident.stage === 'closed' ? null : <Pips stage={incident.stage} />}
          {outcome === null ? null : <small>{t(outcome === 'case' ? 'outcome.was.case' : `outcome.${outcome}`)}</small>}
        </span>
        <span className={classes['fact']}><small>{t('incident.units')}</small><Ltr>{incident.units}</Ltr></span>
        <span className={classes['fact']}><small>{t('incident.owner')}</small><bdi>{incident.owner.name}</bdi></span>
        <span className={classes['fact']}><small>{t('incident.opened')}</small><bdi>{time.seen(incident.opened_at)}</bdi></span>
        <span className={classes['fact']}>
          <small>{t(incident.closed_at === null ? 'incident.elapsed' : 'incident.took')}</small>
          <b><Ltr>{duration((end - Date.parse(incident.opened_at)) / 1000)}</Ltr></b>
        </span>
      </Link>
    </li>
  )
}
