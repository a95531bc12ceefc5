import { useMemo } from 'react'
import type { RecorderHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { count } from '../../../lib/amounts'
import { EmptyState } from '../../../ui/EmptyState'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'

export function RecorderTable({ recorders, viewers }: { recorders: readonly RecorderHealth[]; viewers: number }) {
  const { t } = useI18n()
  const time = useTime()
  const columns = useMemo((): Column<RecorderHealth>[] => {
    const figure = (id: 'cameras' | 'restarts' | 'dropped_packets' | 'mailbox_depth', label: string): Column<RecorderHealth> => ({
      id, label, figures: true, render: (row) => <Ltr>{count(row[id])}</Ltr>, sortBy: (row) => row[id],
    })
    return [
      { id: 'slot', label: t('health.slot'), render: (row) => <Ltr title={row.pid === null ? undefined : `pid ${row.pid}`}>{row.slot}</Ltr>, sortBy: (row) => row.slot },
      figure('cameras', t('health.count')),
      { id: 'since', label: t('health.since'), render: (row) => <bdi>{time.seen(row.since)}</bdi>, sortBy: (row) => row.since },
      figure('restarts', t('health.restarts')),
      figure('dropped_packets', t('health.dropped')),
      figure('mailbox_depth', t('health.mailbox')),
    ]
  }, [t, time])
  return (
    <Panel fill title={t('health.recorders')} aside={t('health.viewers', { count: viewers })}>
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
