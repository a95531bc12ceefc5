import { useMemo } from 'react'
import type { CopyTargetHealth } from '../../../api/wire'
import { useHealthDetail } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'
import { bytes, count } from '../../../lib/amounts'
import { duration } from '../../../lib/time'
import { EmptyState } from '../../../ui/EmptyState'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Store.module.css'

/** A place that answers and is up to date, one that is late, and one that takes nothing: three shapes, never colour alone. */
function shapeOf(row: CopyTargetHealth): 'live' | 'stalled' | 'offline' | 'unknown' {
  if (!row.is_reporting) return 'unknown'
  if (row.state === 'current') return 'live'
  return row.state === 'behind' ? 'stalled' : 'offline'
}

function State({ row }: { row: CopyTargetHealth }) {
  const { t } = useI18n()
  const word = row.is_reporting ? t(`copies.state.${row.state}`) : t('copies.state.unknown')
  return (
    <span className={classes['inline']}>
      <StateShape state={shapeOf(row)} size={12} />
      {word}
    </span>
  )
}

function Lag({ seconds }: { seconds: number | null }) {
  return <Ltr>{seconds === null ? '–' : duration(seconds)}</Ltr>
}

/** A copy that nobody ever fetched back is a hope: how many of the last drill came back right. */
function Drill({ row }: { row: CopyTargetHealth }) {
  const { t } = useI18n()
  const time = useTime()
  const drill = row.last_drill
  if (drill === null) return <>{t('copies.drill.none')}</>
  const isClean = drill.tried > 0 && drill.good === drill.tried
  return (
    <span className={classes['inline']} title={t('copies.drill.explain', { bad: drill.bad, unreached: drill.unreached })}>
      <StateShape state={isClean ? 'live' : 'offline'} size={12} />
      <span>
        <Ltr>{count(drill.good)} / {count(drill.tried)}</Ltr> · <bdi>{time.seen(drill.ended_at)}</bdi>
      </span>
    </span>
  )
}

function useColumns(): Column<CopyTargetHealth>[] {
  const { t } = useI18n()
  return useMemo(
    () => [
      { id: 'name', width: '6.5rem', label: t('copies.place'), render: (row) => <Ltr>{row.name}</Ltr>, sortBy: (row) => row.name },
      { id: 'state', width: '7.5rem', label: t('copies.state'), render: (row) => <State row={row} />, sortBy: (row) => row.state },
      { id: 'drill', width: '10.5rem', label: t('copies.drill'), render: (row) => <Drill row={row} />, sortBy: (row) => row.last_drill?.ended_at ?? null },
      { id: 'copies', width: '5.5rem', label: t('copies.copies'), figures: true, render: (row) => <Ltr>{count(row.copies)}</Ltr>, sortBy: (row) => row.copies },
      {
        id: 'waiting', width: '8rem', label: t('copies.waiting'), figures: true, sortBy: (row) => row.waiting,
        render: (row) => <Ltr>{count(row.waiting)} · {bytes(row.waiting_bytes)}</Ltr>,
      },
      { id: 'p50', width: '5rem', label: t('copies.lag.half'), figures: true, render: (row) => <Lag seconds={row.lag_p50_s} />, sortBy: (row) => row.lag_p50_s },
      { id: 'p99', width: '5rem', label: t('copies.lag.all'), figures: true, render: (row) => <Lag seconds={row.lag_p99_s} />, sortBy: (row) => row.lag_p99_s },
    ],
    [t],
  )
}

/** The places of second copies: what waits, how late copies are, and whether they came back right when tried. */
export function CopyTable() {
  const { t } = useI18n()
  const columns = useColumns()
  const detail = useHealthDetail()
  const copies = detail.data?.copies
  if (copies === undefined) return null
  return (
    <Panel fill title={t('copies.title')}>
      <DataTable label={t('copies.title')} columns={columns} rows={copies} rowKey={(row) => row.name} leastWidth="50rem" sortedBy={{ id: 'name', down: false }} empty={<EmptyState icon="warn" title={t('copies.none')}>{t('copies.none.do')}</EmptyState>} />
    </Panel>
  )
}
