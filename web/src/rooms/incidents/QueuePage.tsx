import { Loader } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useMay, useSession } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { AlertPane, type QueueSlots } from './queue/AlertPane'
import { QueueList } from './queue/QueueList'
import { useMe } from './queue/useMe'
import { useQueue, type Queue } from './queue/useQueue'
import classes from './queue/Queue.module.css'

export type { QueueSlots } from './queue/AlertPane'

/** Below this the list and the alert do not fit side by side. */
const NARROW = '(max-width: 900px)'

function Calm({ queue }: { queue: Queue }) {
  const { t } = useI18n()
  const session = useSession().data
  const others = queue.open?.length ?? 0
  const isOffShift = session?.shift === null && session.acts.includes('start_shift')
  return (
    <EmptyState icon="shield" title={t(others > 0 ? 'queue.calm.mine' : 'queue.calm')}>
      <p>{others > 0 ? t('queue.calm.mine.do', { count: others }) : t('queue.calm.do')}</p>
      {isOffShift ? <p>{t('queue.calm.shift')}</p> : null}
    </EmptyState>
  )
}

/** The one queue: what waits on one side, the chosen alert with its picture and its next step on the other. */
export default function QueuePage({ slots }: { slots: QueueSlots }) {
  const { t } = useI18n()
  const me = useMe()
  const mayLive = useMay('view_live')
  const isNarrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false }) ?? false
  const queue = useQueue(me, !isNarrow)
  const { alert, selected, shown } = queue
  useKeys([
    { chord: 'j', label: t('keys.down'), run: () => queue.move(1) },
    { chord: 'ArrowDown', label: t('keys.down'), run: () => queue.move(1) },
    { chord: 'k', label: t('keys.up'), run: () => queue.move(-1) },
    { chord: 'ArrowUp', label: t('keys.up'), run: () => queue.move(-1) },
    { chord: 'm', label: t('keys.alert.mine'), run: () => queue.setFilter(queue.filter === 'all' ? 'mine' : 'all') },
  ])
  if (queue.open === undefined) return <Loader m="xl" aria-label={t('shell.loading')} />
  const calm = <Calm queue={queue} />
  return (
    <div className={classes['page']} data-chosen={(selected !== null && isNarrow) || undefined}>
      <h1 className="sc-hidden">{t('queue.title')}</h1>
      <QueueList
        alerts={shown}
        openCount={queue.open.length}
        me={me}
        filter={queue.filter}
        selected={selected}
        thumb={slots.thumb}
        onFilter={queue.setFilter}
        onSelect={queue.select}
        empty={isNarrow || selected !== null ? calm : null}
      />
      <div className={classes['chosen']}>
        {alert !== null ? (
          <AlertPane key={alert.id} alert={alert} me={me} slots={slots} mayLive={mayLive} onBack={() => queue.select(null)} onDecided={queue.leave} onNext={shown.length > 0 ? () => queue.move(1) : null} />
        ) : queue.error !== null ? (
          <ErrorNotice error={queue.error} onRetry={queue.retry} />
        ) : selected !== null ? (
          <Loader m="xl" aria-label={t('shell.loading')} />
        ) : shown.length > 0 ? (
          <EmptyState icon="queue" title={t('queue.choose')}>{t('queue.choose.do')}</EmptyState>
        ) : calm}
      </div>
    </div>
  )
}
