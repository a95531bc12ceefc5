import { useMemo } from 'react'
import type { RecorderHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { count } from '../../../lib/amounts'
import { EmptyState } from '../../../ui/EmptyState'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Health.module.css'

/** A process that has not reported lately is told apart by shape, colour and title. */
function Slot({ recorder }: { recorder: RecorderHealth }) {
  const { t } = useI18n()
  const state = recorder.is_reporting ? 'live' : 'offline'
  return (
    <span className={classes['inline']}>
      <StateShape state={state} size={12} title={recorder.is_reporting ? t('health.reporting') : t('health.silent')} />
      <Ltr title={recorder.pid === null ? undefined : `pid ${recorder.pid}`}>{recorder.slot}</Ltr>
    </span>
  )
}

export function RecorderTable({ recorders, viewers }: { recorders: readonly RecorderHealth[]; viewers: number | null }) {
  const { t } = useI18n()
  const time = useTime()
  const columns = useMemo((): Column<RecorderHealth>[] => {
    const figure = (id: 'cameras' | 'restarts' | 'dropped_packets' | 'mailbox_depth', label: string): Column<RecorderHealth> => ({
      id, label, figures: true, render: (row) => <Ltr>{count(row[id])}</Ltr>, sortBy: (row) => row[id],
    })
    return [
      { id: 'slot', width: '8rem', label: t('health.slot'), render: (row) => <Slot recorder={row} />, sortBy: (row) => row.slot },
      figure('cameras', t('health.count')),
      { id: 'since', label: t('health.since'), render: (row) => <bdi>{time.seen(row.since)}</bdi>, sortBy: (row) => row.since },
      figure('restarts', t('health.restarts')),
      figure('dropped_packets', t('health.dropped')),
      figure('mailbox_depth', t('health.mailbox')),
    ]
  }, [t, time])
  return (
    <Panel fill title={t('health.recorders')} aside={viewers === null ? null : t('health.viewers', { count: viewers })}>
      <DataTable
        label={t('health.recorders')}
        columns={columns}
        rows={recorders}
        rowKey={(row) => row.slot}
        leastWidth="33rem"
        sortedBy={{ id: 'slot', down: false }}
        empty={<EmptyState icon="warn" title={t('health.noRecorders')}>{t('health.noRecorders.do')}</EmptyState>}
      />
    </Panel>
  )
}
