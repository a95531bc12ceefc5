import { Loader } from '@mantine/core'
import { useMemo } from 'react'
import { useLinkHealth } from '../../../api/queries'
import type { CameraState, LinkHealth } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { words, type WordKey } from '../../../i18n/words'
import { bytes, percent } from '../../../lib/amounts'
import { EmptyState } from '../../../ui/EmptyState'
import { ErrorNotice } from '../../../ui/ErrorNotice'
import { Ltr } from '../../../ui/Ltr'
import { Panel } from '../../../ui/Panel'
import { StateShape } from '../../../ui/StateShape'
import { DataTable, type Column } from '../../../ui/table/DataTable'
import { useTime } from '../../../ui/useTime'
import classes from './Store.module.css'

const SHAPES: Record<LinkHealth['health'], CameraState> = { up: 'live', degraded: 'stalled', down: 'offline', waiting: 'unknown', unknown: 'unknown' }
const ORDER: readonly LinkHealth['health'][] = ['down', 'degraded', 'waiting', 'unknown', 'up']

function State({ link }: { link: LinkHealth }) {
  const { t } = useI18n()
  return (
    <span className={classes['inline']}>
      <StateShape state={SHAPES[link.health]} size={12} />
      {t(`link.${link.health}`)}
    </span>
  )
}

/** Each fault in words, with what to do; a word that the page does not know stands as it is. */
function Faults({ findings }: { findings: readonly string[] }) {
  const { t } = useI18n()
  return (
    <ul className={classes['faults']}>
      {findings.map((finding) => {
        const key = `link.fault.${finding}`
        return <li key={finding}>{key in words ? t(key as WordKey) : finding}</li>
      })}
    </ul>
  )
}

function useColumns(): Column<LinkHealth>[] {
  const { t } = useI18n()
  const time = useTime()
  return useMemo(
    (): Column<LinkHealth>[] => [
      { id: 'site', width: '6.5rem', label: t('link.site'), render: (row) => <Ltr>{row.code}</Ltr>, sortBy: (row) => row.code },
      { id: 'state', width: '8rem', label: t('health.state'), render: (row) => <State link={row} />, sortBy: (row) => ORDER.indexOf(row.health) },
      { id: 'handshake', label: t('link.handshake'), render: (row) => <bdi>{row.handshake_at === null ? t('link.never') : time.seen(row.handshake_at)}</bdi>, sortBy: (row) => row.handshake_at ?? '' },
      { id: 'loss', figures: true, label: t('link.loss'), render: (row) => <Ltr>{row.loss === null ? '–' : row.loss === 0 ? '0 %' : percent(row.loss, 1)}</Ltr>, sortBy: (row) => row.loss ?? -1 },
      { id: 'delay', figures: true, label: t('link.delay'), render: (row) => <Ltr>{row.delay_ms === null ? '–' : `${Math.round(row.delay_ms)}\u00a0ms`}</Ltr>, sortBy: (row) => row.delay_ms ?? -1 },
      { id: 'carried', figures: true, label: t('link.carried'), render: (row) => <Ltr>{bytes(row.received_bytes)}</Ltr>, sortBy: (row) => row.received_bytes },
      { id: 'mind', label: t('link.mind'), render: (row) => <Faults findings={row.findings} />, sortBy: (row) => row.findings.length },
    ],
    [t, time],
  )
}

export function LinkTable() {
  const { t } = useI18n()
  const links = useLinkHealth()
  const columns = useColumns()
  if (links.data === undefined) {
    return links.isError ? <ErrorNotice error={links.error} onRetry={() => void links.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  const up = links.data.filter((link) => link.health === 'up').length
  return (
    <Panel title={t('link.title')} aside={links.data.length === 0 ? null : t('link.aside', { up, all: links.data.length })}>
      <DataTable
        label={t('link.title')}
        columns={columns}
        rows={links.data}
        rowKey={(row) => row.site}
        leastWidth="40rem"
        sortedBy={{ id: 'state', down: false }}
        empty={<EmptyState icon="check" title={t('link.none')}>{t('link.none.do')}</EmptyState>}
      />
    </Panel>
  )
}
