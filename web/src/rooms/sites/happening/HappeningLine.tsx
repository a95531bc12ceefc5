import type { ReactNode } from 'react'
import type { Alert, Incident } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { Ltr } from '../../../ui/Ltr'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useSay } from '../../../ui/useSay'
import { useNow } from '../../../ui/useTime'
import classes from '../Map.module.css'

/** Ages in a list need not tick. */
const AGES_EVERY_MS = 5_000

interface LineProps {
  priority: number
  title: string
  since: string
  children: ReactNode
  aside?: ReactNode
  isChosen: boolean
  onChoose: () => void
}

function Line({ priority, title, since, children, aside, isChosen, onChoose }: LineProps) {
  const { t } = useI18n()
  const { age } = useSay()
  const now = useNow(AGES_EVERY_MS)
  return (
    <li>
      <button type="button" data-row className={classes['cameraLine']} aria-current={isChosen || undefined} onClick={onChoose}>
        <PriorityMark priority={priority} compact size={18} />
        <span>
          <b dir="auto">{title}</b>
          <small>
            {t('alert.ago', { age: age((now - Date.parse(since)) / 1000) })} · {children}
          </small>
        </span>
        {aside}
      </button>
    </li>
  )
}

interface AlertLineProps {
  alert: Alert
  place: string
  isChosen: boolean
  onChoose: () => void
}

export function AlertLine({ alert, place, isChosen, onChoose }: AlertLineProps) {
  const { t, pick } = useI18n()
  return (
    <Line
      priority={alert.priority}
      title={pick({ name: alert.title, name_ur: alert.title_ur })}
      since={alert.first_at}
      isChosen={isChosen}
      onChoose={onChoose}
      aside={alert.count > 1 ? <small title={t('alert.count', { count: alert.count })}><Ltr>×{alert.count}</Ltr></small> : null}
    >
      {place}
    </Line>
  )
}

export function IncidentLine({ incident, isChosen, onChoose }: { incident: Incident; isChosen: boolean; onChoose: () => void }) {
  const { t, pick } = useI18n()
  return (
    <Line
      priority={incident.priority}
      title={pick({ name: incident.title, name_ur: incident.title_ur })}
      since={incident.opened_at}
      isChosen={isChosen}
      onChoose={onChoose}
      aside={<small><Ltr>{incident.number}</Ltr></small>}
    >
      {t(`stage.${incident.stage}`)}
    </Line>
  )
}
