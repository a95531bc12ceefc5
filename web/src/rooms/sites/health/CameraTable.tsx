import { useMemo, useState } from 'react'
import { SegmentedControl, TextInput } from '@mantine/core'
import { Link } from 'react-router'
import type { Camera, CameraHealth, CameraState } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { bitrate, count } from '../../../lib/amounts'
import { duration } from '../../../lib/time'
import { causePhrase, shortCausePhrase } from '../../../ui/cause'
import { EmptyState } from '../../../ui/EmptyState'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateBadge } from '../../../ui/StateBadge'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import { WORST_FIRST, type States } from '../states'
import classes from './Health.module.css'

interface Row extends CameraHealth {
  name: string
  code: string
}

const DASH = '–'

/** The numbers of the last report with the state of this moment, and a name people know. */
function useRows(health: readonly CameraHealth[], cameras: readonly Camera[], states: States): Row[] {
  const { pick } = useI18n()
  return useMemo(() => {
    const known = new Map(cameras.map((camera) => [camera.id, camera]))
    return health.map((row) => {
      const camera = known.get(row.id)
      return { ...row, ...states[row.id], name: camera === undefined ? row.id : pick(camera), code: camera?.code ?? '' }
    })
  }, [health, cameras, states, pick])
}

function useColumns(): Column<Row>[] {
  const { t } = useI18n()
  const time = useTime()
  return useMemo(
    () => [
      {
        id: 'name', label: t('health.camera'), sortBy: (row) => row.name,
        render: (row) => (
          <Link to={`/map?camera=${encodeURIComponent(row.id)}`} className={classes['camera']}>
            {row.name} <small><Ltr>{row.code}</Ltr></small>
          </Link>
        ),
      },
      { id: 'state', width: '6.5rem', label: t('health.state'), render: (row) => <StateBadge state={row.state} />, sortBy: (row) => WORST_FIRST.indexOf(row.state) },
      { id: 'since', width: '7rem', label: t('health.since'), render: (row) => <bdi>{time.seen(row.since)}</bdi>, sortBy: (row) => row.since },
      { id: 'cause', width: '7.5rem', label: t('health.cause'), render: (row) => <CauseCell cause={row.cause} />, sortBy: (row) => row.cause },
      { id: 'bitrate', width: '7rem', label: t('health.bitrate'), figures: true, render: (row) => <Ltr>{row.bitrate_bps === null ? DASH : bitrate(row.bitrate_bps)}</Ltr>, sortBy: (row) => row.bitrate_bps },
      { id: 'fps', width: '6.5rem', label: t('health.fps'), figures: true, render: (row) => <Ltr>{row.fps === null ? DASH : row.fps.toFixed(1)}</Ltr>, sortBy: (row) => row.fps },
      { id: 'recorded', width: '8.5rem', label: t('health.recordedToday'), figures: true, render: (row) => <Ltr>{duration(row.recorded_today_s)}</Ltr>, sortBy: (row) => row.recorded_today_s },
      { id: 'missing', width: '8rem', label: t('health.missingToday'), figures: true, render: (row) => <Ltr>{row.missing_today_s > 0 ? duration(row.missing_today_s) : DASH}</Ltr>, sortBy: (row) => row.missing_today_s },
    ],
    [t, time],
  )
}

function CauseCell({ cause }: { cause: string | null }) {
  const { t } = useI18n()
  const [short, long] = [shortCausePhrase(cause), causePhrase(cause)]
  return short === null || long === null ? <>{DASH}</> : <span title={t(long)}>{t(short)}</span>
}

interface CameraTableProps {
  health: readonly CameraHealth[]
  cameras: readonly Camera[]
  states: States
}

export function CameraTable({ health, cameras, states }: CameraTableProps) {
  const { t } = useI18n()
  const [state, setState] = useState<CameraState | 'all'>('all')
  const [search, setSearch] = useState('')
  const rows = useRows(health, cameras, states)
  const columns = useColumns()
  const wanted = search.trim().toLowerCase()
  const shown = useMemo(
    () => rows.filter((row) => (state === 'all' || row.state === state) && (wanted === '' || `${row.name} ${row.code} ${row.id}`.toLowerCase().includes(wanted))),
    [rows, state, wanted],
  )
  const choices = [{ value: 'all', label: t('health.all') }, ...(['live', 'stalled', 'offline', 'unknown'] as const).map((value) => ({ value, label: t(`state.${value}`) }))]
  const tools = (
    <div className={classes['tools']}>
      <Ltr>{count(shown.length)} / {count(rows.length)}</Ltr>
      <TextInput size="xs" aria-label={t('health.filter')} placeholder={t('health.filter')} value={search} onChange={(event) => setSearch(event.currentTarget.value)} />
      <SegmentedControl size="xs" aria-label={t('health.state')} data={choices} value={state} onChange={(value) => setState(value as CameraState | 'all')} />
    </div>
  )
  return (
    <Panel fill title={t('health.cameras')} aside={tools}>
      <DataTable
        label={t('health.cameras')}
        columns={columns}
        rows={shown}
        rowKey={(row) => row.id}
        sortedBy={{ id: 'state', down: false }}
        leastWidth="66rem"
        empty={<EmptyState title={t('health.none')}>{t('health.none.do')}</EmptyState>}
      />
    </Panel>
  )
}
