import { useMemo } from 'react'
import type { AnalyserHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { count } from '../../../lib/amounts'
import { EmptyState } from '../../../ui/EmptyState'
import { Ltr } from '../../../ui/Ltr'
import { MOTION_ONLY, useModelName } from '../../../ui/modelName'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Health.module.css'

/** From here on an alert comes too late to act on. */
const LATE_S = 5

/** A process that has not reported lately is told apart by shape, colour and word. */
function Slot({ row }: { row: AnalyserHealth }) {
  const { t } = useI18n()
  return (
    <span className={classes['inline']}>
      <StateShape state={row.is_reporting ? 'live' : 'offline'} size={12} title={row.is_reporting ? t('health.reporting') : t('health.silent')} />
      <Ltr>{row.slot}</Ltr>
    </span>
  )
}

function useColumns(): Column<AnalyserHealth>[] {
  const { t } = useI18n()
  const time = useTime()
  const modelName = useModelName()
  return useMemo(() => {
    const figure = (id: 'dropped_frames' | 'restarts', label: string): Column<AnalyserHealth> => ({
      id, width: '5.25rem', label, figures: true, render: (row) => <Ltr>{count(row[id])}</Ltr>, sortBy: (row) => row[id],
    })
    return [
      { id: 'slot', width: '7rem', label: t('health.slot'), render: (row) => <Slot row={row} />, sortBy: (row) => row.slot },
      { id: 'model', label: t('health.model'), render: (row) => <span title={t(row.model === MOTION_ONLY ? 'model.motion.explain' : 'model.other.explain')}>{modelName(row.model)}</span>, sortBy: (row) => row.model },
      { id: 'active', width: '5.25rem', label: t('health.active'), figures: true, render: (row) => <Ltr>{count(row.active)} / {count(row.cameras)}</Ltr>, sortBy: (row) => row.active },
      {
        id: 'delay', width: '4.75rem', label: t('health.delay'), figures: true, sortBy: (row) => row.delay_s,
        render: (row) => (
          <span className={classes['inline']}>
            {row.delay_s >= LATE_S ? <StateShape state="stalled" size={12} title={t('health.delay.late')} /> : null}
            <Ltr>{row.delay_s.toFixed(1)}{'\u00a0s'}</Ltr>
          </span>
        ),
      },
      figure('dropped_frames', t('health.droppedFrames')),
      { id: 'since', width: '5.5rem', label: t('health.since'), render: (row) => <bdi>{time.seen(row.since)}</bdi>, sortBy: (row) => row.since },
      figure('restarts', t('health.restarts')),
    ]
  }, [t, time, modelName])
}

/** The processes that look at pictures: by what, at how many cameras, and how far behind. */
export function AnalyserTable({ analysers }: { analysers: readonly AnalyserHealth[] }) {
  const { t } = useI18n()
  const columns = useColumns()
  const isMotionOnly = analysers.length > 0 && analysers.every((row) => row.model === MOTION_ONLY)
  return (
    <Panel fill title={t('health.analysers')} aside={isMotionOnly ? <small className={classes['under']}>{t('model.motion.short')}</small> : null}>
      <DataTable
        label={t('health.analysers')}
        columns={columns}
        rows={analysers}
        rowKey={(row) => row.slot}
        leastWidth="38rem"
        sortedBy={{ id: 'slot', down: false }}
        empty={<EmptyState icon="warn" title={t('health.noAnalysers')}>{t('health.noAnalysers.do')}</EmptyState>}
      />
    </Panel>
  )
}
