import type { ReactNode } from 'react'
import { ActionIcon, Button } from '@mantine/core'
import { Link } from 'react-router'
import { useAlert } from '../../../api/response'
import type { Alert } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { words, type WordKey } from '../../../i18n/words'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { History } from '../../../ui/history/History'
import { Icon } from '../../../ui/Icon'
import { KeyHint } from '../../../ui/KeyHint'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { PriorityMark } from '../../../ui/PriorityMark'
import { useSay } from '../../../ui/useSay'
import { useNow, useTime } from '../../../ui/useTime'
import { Actions } from './Actions'
import { alertTitle, HoldFact } from './AlertRow'
import { Due } from './DueBar'
import type { Me } from './model'
import { useDeeds } from './useDeeds'
import { usePlaces } from './usePlace'
import classes from './Pane.module.css'

export interface QueueSlots {
  /** Small, for the list. */
  thumb: (alert: Alert) => ReactNode
  /** Large, moving where it can be. */
  picture: (alert: Alert) => ReactNode
  /** What the camera sees now. */
  live: (camera: string) => ReactNode
}

const known = (key: string): key is WordKey => key in words

/** "vehicle?" is said as a vehicle, and that nobody looked closer than size and movement. */
function useClassWords(): (name: string) => string {
  const { t } = useI18n()
  return (name) => {
    const [plain, isUnsure] = [name.replace(/\?$/, ''), name.endsWith('?')]
    const word = known(`class.${plain}`) ? t(`class.${plain}` as WordKey) : plain
    return isUnsure ? `${word}? (${t('alert.class.unsure')})` : word
  }
}

function Facts({ alert }: { alert: Alert }) {
  const { t } = useI18n()
  const time = useTime()
  const { age } = useSay()
  const now = useNow()
  const place = usePlaces()(alert.camera)
  const classWords = useClassWords()
  const ago = (at: string) => t('alert.ago', { age: age((now - Date.parse(at)) / 1000) })
  return (
    <dl className={classes['facts']}>
      <div><dt>{t('alert.where')}</dt><dd>{place.camera}{place.site === '' ? null : <small>{place.site}</small>}</dd></div>
      <div><dt>{t('alert.seen')}</dt><dd><Ltr>{time.seen(alert.first_at)}</Ltr><small>{ago(alert.first_at)}</small></dd></div>
      {alert.count > 1 ? <div><dt>{t('alert.last')}</dt><dd><Ltr>{time.seen(alert.last_at)}</Ltr><small>{ago(alert.last_at)} · {t('alert.count', { count: alert.count })}</small></dd></div> : null}
      <div><dt>{t('alert.rule')}</dt><dd>{known(`alert.kind.${alert.kind}`) ? t(`alert.kind.${alert.kind}` as WordKey) : alert.kind}</dd></div>
      {alert.object_class === '' ? null : <div><dt>{t('alert.class')}</dt><dd>{classWords(alert.object_class)}</dd></div>}
    </dl>
  )
}

/** What became of an alert that is no longer in the queue. */
function Decided({ alert, onNext }: { alert: Alert; onNext: (() => void) | null }) {
  const { t } = useI18n()
  const name = alert.owner?.name ?? '–'
  return (
    <footer className={classes['actions']}>
      <div className={classes['deeds']}>
        <p className={classes['decided']} role="status">
          <Icon name={alert.state === 'confirmed' ? 'check' : 'close'} />
          {alert.state === 'confirmed' ? t('alert.decided.confirmed', { name }) : t('alert.decided.closed', { name, reason: alert.close_reason === null ? '–' : t(`reason.${alert.close_reason}`) })}
        </p>
        {alert.incident === null ? null : (
          <Button component={Link} to={`/incidents/${encodeURIComponent(alert.incident)}`} size="lg" leftSection={<Icon name="incident" />}>{t('alert.decided.incident')}</Button>
        )}
        {onNext === null ? null : <Button variant="default" size="lg" onClick={onNext} rightSection={<KeyHint chord="j" />}>{t('alert.decided.next')}</Button>}
      </div>
    </footer>
  )
}

interface AlertPaneProps {
  alert: Alert
  me: Me
  slots: QueueSlots
  mayLive: boolean
  onBack: () => void
  /** It has been closed by this person. */
  onDecided: (id: string) => void
  onNext: (() => void) | null
}

/** The chosen alert: what was seen, what it looks like now, what was done, and what to do. */
export function AlertPane({ alert, me, slots, mayLive, onBack, onDecided, onNext }: AlertPaneProps) {
  const { t, language } = useI18n()
  const now = useNow()
  const history = useAlert(alert.id)
  const deeds = useDeeds(alert, me, onDecided)
  const isOpen = alert.state === 'unacknowledged' || alert.state === 'acknowledged'
  return (
    <article className={classes['pane']} data-priority={alert.priority} data-state={alert.state} data-alert={alert.id}>
      <header className={classes['head']}>
        <ActionIcon className={classes['back'] ?? ''} variant="subtle" color="gray" size="lg" aria-label={t('queue.back')} onClick={onBack}>
          <span className={classes['turned']}><Icon name="chevron" mirrored /></span>
        </ActionIcon>
        <PriorityMark priority={alert.priority} size={30} />
        <h2 dir="auto">{alertTitle(alert, language)}</h2>
        {isOpen ? <HoldFact alert={alert} me={me} isFull /> : null}
        {isOpen ? <Due alert={alert} now={now} isFull /> : null}
      </header>
      <div className={classes['seen']}>
        <div className={classes['picture']}>{alert.camera === null ? <p className={classes['noPicture']}>{t('alert.noCamera')}</p> : slots.picture(alert)}</div>
        <Panel fill title={t('alert.history')}>
          {history.isError ? <ErrorNotice error={history.error} onRetry={() => void history.refetch()} /> : (
            <History steps={history.data?.steps ?? []} label={t('alert.history')} empty={history.isPending ? t('shell.loading') : t('alert.history.none')} />
          )}
        </Panel>
      </div>
      <aside className={classes['side']}>
        {alert.camera === null ? null : (
          <Panel title={t('alert.live')} aside={<Link className={classes['link']} to={`/playback?camera=${encodeURIComponent(alert.camera)}&at=${alert.picture_at}`}>{t('alert.playback')}</Link>}>
            {mayLive ? slots.live(alert.camera) : <p className={classes['sub']}>{t('alert.live.role')}</p>}
          </Panel>
        )}
        <Facts alert={alert} />
      </aside>
      {isOpen ? <Actions alert={alert} deeds={deeds} mayHandle={me.mayHandle} /> : <Decided alert={alert} onNext={onNext} />}
    </article>
  )
}
