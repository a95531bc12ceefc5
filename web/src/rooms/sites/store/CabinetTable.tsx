import { Loader } from '@mantine/core'
import { useMemo } from 'react'
import { useCabinets } from '../../../api/queries'
import type { CabinetCondition, CameraState } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Store.module.css'

const BAD: readonly CabinetCondition['word'][] = ['open', 'off', 'low', 'hot']
const UNITS: Partial<Record<CabinetCondition['kind'], string>> = { battery: '%', temperature: '°C' }

const shapeOf = (row: CabinetCondition): CameraState => (row.is_silent ? 'unknown' : BAD.includes(row.word) ? 'stalled' : 'live')

function Word({ row }: { row: CabinetCondition }) {
  const { t } = useI18n()
  return (
    <span className={classes['inline']}>
      <StateShape state={shapeOf(row)} size={12} />
      {t(`cabinet.${row.word}`)}
    </span>
  )
}

function useColumns(): Column<CabinetCondition>[] {
  const { t } = useI18n()
  const time = useTime()
  return useMemo(
    (): Column<CabinetCondition>[] => [
      { id: 'site', width: '6.5rem', label: t('link.site'), render: (row) => <Ltr>{row.code}</Ltr>, sortBy: (row) => row.code },
      { id: 'kind', label: t('cabinet.kind'), render: (row) => t(`cabinet.${row.kind}`), sortBy: (row) => row.kind },
      { id: 'word', label: t('cabinet.word'), render: (row) => <Word row={row} />, sortBy: (row) => (BAD.includes(row.word) ? 0 : 1) },
      { id: 'figure', figures: true, label: t('cabinet.figure'), render: (row) => <Ltr>{row.figure === null ? '–' : `${Math.round(row.figure)}\u00a0${UNITS[row.kind] ?? ''}`}</Ltr>, sortBy: (row) => row.figure ?? -100 },
      { id: 'since', label: t('health.since'), render: (row) => <bdi>{row.is_silent ? `${t('cabinet.silent')} ${time.seen(row.heard_at)}` : time.seen(row.since)}</bdi>, sortBy: (row) => row.since },
    ],
    [t, time],
  )
}

export function CabinetTable() {
  const { t } = useI18n()
  const cabinets = useCabinets()
  const columns = useColumns()
  if (cabinets.data === undefined) {
    return cabinets.isError ? <ErrorNotice error={cabinets.error} onRetry={() => void cabinets.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <Panel title={t('cabinet.title')}>
      <DataTable
        label={t('cabinet.title')}
        columns={columns}
        rows={cabinets.data}
        rowKey={(row) => `${row.site} ${row.kind}`}
        leastWidth="30rem"
        sortedBy={{ id: 'word', down: false }}
        empty={<EmptyState icon="check" title={t('cabinet.none')}>{t('cabinet.none.do')}</EmptyState>}
      />
    </Panel>
  )
}
