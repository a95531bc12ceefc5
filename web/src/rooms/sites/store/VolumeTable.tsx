import { Loader } from '@mantine/core'
import { useMemo } from 'react'
import { useHealthDetail } from '../../../api/queries'
import type { CameraState, VolumeHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { bytes } from '../../../lib/amounts'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import classes from './Store.module.css'

const SHAPES: Record<VolumeHealth['state'], CameraState> = {
  ok: 'live', filling: 'stalled', slow: 'stalled', full: 'offline', read_only: 'offline', failing: 'offline', gone: 'offline',
}
const ORDER: readonly CameraState[] = ['offline', 'stalled', 'unknown', 'live']
const A_MONTH_H = 24 * 31

function State({ volume }: { volume: VolumeHealth }) {
  const { t } = useI18n()
  return (
    <span className={classes['inline']}>
      <StateShape state={SHAPES[volume.state]} size={12} />
      {t(`volume.${volume.state}`)}
      {volume.recorded_on ? null : ` (${t('volume.readOnly')})`}
    </span>
  )
}

function Left({ hours }: { hours: number | null }) {
  const { t } = useI18n()
  if (hours === null || hours > A_MONTH_H) return <>{t('volume.left.never')}</>
  return <bdi>{hours < 48 ? t('volume.hours', { count: Math.floor(hours) }) : t('volume.days', { count: Math.floor(hours / 24) })}</bdi>
}

function useColumns(): Column<VolumeHealth>[] {
  const { t } = useI18n()
  return useMemo(
    (): Column<VolumeHealth>[] => [
      { id: 'directory', label: t('volume.directory'), render: (row) => <Ltr>{row.directory}</Ltr>, sortBy: (row) => row.directory },
      { id: 'state', width: '9rem', label: t('health.state'), render: (row) => <State volume={row} />, sortBy: (row) => ORDER.indexOf(SHAPES[row.state]) },
      { id: 'used', figures: true, label: t('volume.used'), render: (row) => <Ltr>{bytes(row.used_bytes)}</Ltr>, sortBy: (row) => row.used_bytes },
      { id: 'free', figures: true, label: t('volume.free'), render: (row) => <Ltr>{bytes(row.free_bytes)}</Ltr>, sortBy: (row) => row.free_bytes },
      {
        id: 'held', figures: true, label: t('volume.held'), sortBy: (row) => row.held_bytes,
        render: (row) => <Ltr title={row.held_full ? t('volume.held.full') : undefined}>{row.held_full ? '⚠ ' : ''}{bytes(row.held_bytes)}</Ltr>,
      },
      { id: 'left', label: t('volume.left'), render: (row) => <Left hours={row.hours_left} />, sortBy: (row) => row.hours_left ?? 1e9 },
    ],
    [t],
  )
}

export function VolumeTable() {
  const { t } = useI18n()
  const detail = useHealthDetail()
  const columns = useColumns()
  if (detail.data === undefined) {
    return detail.isError ? <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <Panel title={t('volume.title')}>
      <DataTable
        label={t('volume.title')}
        columns={columns}
        rows={detail.data.disk.volumes}
        rowKey={(row) => row.id}
        leastWidth="36rem"
        sortedBy={{ id: 'state', down: false }}
        empty={<EmptyState icon="disk" title={t('volume.none')}>{t('volume.none.do')}</EmptyState>}
      />
    </Panel>
  )
}
