import { useMemo } from 'react'
import type { EdgeHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { count } from '../../../lib/amounts'
import { duration } from '../../../lib/time'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Health.module.css'

const SHAPES = { waiting: 'unknown', connected: 'live', silent: 'offline' } as const

function State({ edge }: { edge: EdgeHealth }) {
  const { t } = useI18n()
  const words = t(`edges.${edge.state}`)
  return (
    <span className={classes['inline']}>
      <StateShape state={SHAPES[edge.state]} size={12} title={words} />
      <span>{words}</span>
    </span>
  )
}

/** Recorders at sites: last contact, what waits there, what of the missing is still to come. Not shown without any. */
export function EdgeTable({ edges }: { edges: readonly EdgeHealth[] }) {
  const { t } = useI18n()
  const time = useTime()
  const columns = useMemo(
    (): Column<EdgeHealth>[] => [
      { id: 'site', width: '7rem', label: t('edges.site'), render: (row) => <Ltr title={row.id}>{row.site}</Ltr>, sortBy: (row) => row.site },
      { id: 'state', label: t('edges.state'), render: (row) => <State edge={row} />, sortBy: (row) => row.state },
      { id: 'seen', label: t('edges.seen'), render: (row) => <bdi>{row.seen_at === null ? t('edges.never') : time.seen(row.seen_at)}</bdi>, sortBy: (row) => row.seen_at ?? '' },
      { id: 'facts', label: t('edges.facts'), figures: true, render: (row) => <Ltr>{count(row.facts_waiting)}</Ltr>, sortBy: (row) => row.facts_waiting },
      { id: 'left', label: t('edges.left'), figures: true, render: (row) => <Ltr>{duration(row.backfill_left_s)}</Ltr>, sortBy: (row) => row.backfill_left_s },
      { id: 'eta', label: t('edges.eta'), figures: true, render: (row) => <Ltr>{row.backfill_eta_s === null ? '–' : duration(row.backfill_eta_s)}</Ltr>, sortBy: (row) => row.backfill_eta_s ?? 0 },
      { id: 'live', label: t('edges.live'), figures: true, render: (row) => <Ltr>{count(row.live_streams)}</Ltr>, sortBy: (row) => row.live_streams },
    ],
    [t, time],
  )
  if (edges.length === 0) return null
  return (
    <Panel fill title={t('edges.title')}>
      <DataTable label={t('edges.title')} columns={columns} rows={edges} rowKey={(row) => row.id} leastWidth="40rem" sortedBy={{ id: 'site', down: false }} empty={null} />
    </Panel>
  )
}
