import { Link } from 'react-router'
import type { Incident } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { duration } from '../../../lib/time'
import { Icon } from '../../../ui/Icon'
import { Ltr } from '../../../ui/Ltr'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useNow, useTime } from '../../../ui/useTime'
import { StageStepper } from './StageStepper'
import classes from './Head.module.css'

function Elapsed({ incident }: { incident: Incident }) {
  const { t } = useI18n()
  const now = useNow()
  const end = incident.closed_at === null ? now : Date.parse(incident.closed_at)
  return (
    <div>
      <dt>{t(incident.closed_at === null ? 'incident.elapsed' : 'incident.took')}</dt>
      <dd className={classes['elapsed']}><Ltr>{duration((end - Date.parse(incident.opened_at)) / 1000)}</Ltr></dd>
    </div>
  )
}

/** What it is, how urgent, how far, since when and whose. */
export function IncidentHead({ incident }: { incident: Incident }) {
  const { t, pick } = useI18n()
  const time = useTime()
  const ended = incident.outcome
  return (
    <header className={classes['head']}>
      <Link to="/incidents" className={classes['back']} aria-label={t('incident.back')} title={t('incident.back')}>
        <Icon name="chevron" size={22} mirrored />
      </Link>
      <div className={classes['name']}>
        <h1><bdi>{pick({ name: incident.title, name_ur: incident.title_ur })}</bdi></h1>
        <p>
          <PriorityMark priority={incident.priority} size={18} /> <Ltr>{incident.number}</Ltr>
          {incident.alerts > 1 ? <span>{t('incident.alerts', { count: incident.alerts })}</span> : null}
          {ended === null ? null : <strong>{t(ended === 'case' ? 'outcome.was.case' : `outcome.${ended}`)}</strong>}
        </p>
      </div>
      <StageStepper stage={incident.stage} />
      <dl className={classes['times']}>
        <Elapsed incident={incident} />
        <div>
          <dt>{t('incident.opened')}</dt>
          <dd><bdi>{time.seen(incident.opened_at)}</bdi></dd>
        </div>
        <div>
          <dt>{t('incident.owner')}</dt>
          <dd><bdi>{incident.owner.name}</bdi></dd>
        </div>
      </dl>
    </header>
  )
}
