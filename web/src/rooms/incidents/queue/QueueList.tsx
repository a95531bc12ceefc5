import { useEffect, useRef, type ReactNode } from 'react'
import { SegmentedControl } from '@mantine/core'
import type { Alert } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useNow } from '../../../ui/useTime'
import { AlertRow } from './AlertRow'
import type { Filter, Me } from './model'
import { usePlaces } from './usePlace'
import classes from './Queue.module.css'

interface QueueListProps {
  alerts: readonly Alert[]
  openCount: number
  me: Me
  filter: Filter
  selected: string | null
  thumb: (alert: Alert) => ReactNode
  onFilter: (filter: Filter) => void
  onSelect: (id: string) => void
  /** Instead of the list where it is empty. */
  empty: ReactNode
}

/** The alerts in the order of the queue; the list scrolls, the page does not. */
export function QueueList({ alerts, openCount, me, filter, selected, thumb, onFilter, onSelect, empty }: QueueListProps) {
  const { t } = useI18n()
  const now = useNow()
  const place = usePlaces()
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    if (selected !== null) list.current?.querySelector(`[data-alert="${CSS.escape(selected)}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [selected])
  return (
    <section className={classes['list']} aria-label={t('queue.list')}>
      <header className={classes['listHead']}>
        <span>{t('queue.open', { count: openCount })}</span>
        <SegmentedControl
          size="xs"
          value={filter}
          onChange={(value) => onFilter(value as Filter)}
          data={[{ value: 'all', label: t('queue.all') }, { value: 'mine', label: t('queue.mine') }]}
        />
      </header>
      {alerts.length === 0 ? empty : (
        <ul ref={list} role="listbox" tabIndex={0} className={classes['rows']} aria-label={t('queue.list')} aria-activedescendant={selected === null ? undefined : `alert-${selected}`}>
          {alerts.map((alert) => (
            <AlertRow key={alert.id} alert={alert} me={me} place={place(alert.camera)} now={now} isSelected={alert.id === selected} thumb={thumb(alert)} onSelect={onSelect} />
          ))}
        </ul>
      )}
    </section>
  )
}
