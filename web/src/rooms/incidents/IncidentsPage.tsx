import { useRef, type ReactNode } from 'react'
import { Button, Loader, SegmentedControl } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useMay } from '../../api/queries'
import { useClosedIncidents, useOpenIncidents } from '../../api/response'
import type { Incident } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Icon } from '../../ui/Icon'
import { KeyHint } from '../../ui/KeyHint'
import { useRowKeys } from '../../ui/useRowKeys'
import { useNow } from '../../ui/useTime'
import { IncidentRow } from './list/IncidentRow'
import { ReportDialog, type PickMap } from './list/ReportDialog'
import classes from './list/IncidentList.module.css'

type Shown = 'open' | 'closed'

type Picture = (incident: Incident) => ReactNode

function Rows({ incidents, picture }: { incidents: readonly Incident[]; picture?: Picture }) {
  const { t } = useI18n()
  const now = useNow()
  const box = useRef<HTMLOListElement>(null)
  useRowKeys(box)
  return (
    <ol ref={box} className={classes['rows']} aria-label={t('incident.title')}>
      {incidents.map((incident) => <IncidentRow key={incident.id} incident={incident} now={now} picture={picture?.(incident)} />)}
    </ol>
  )
}

function OpenIncidents({ picture }: { picture: Picture }) {
  const { t } = useI18n()
  const incidents = useOpenIncidents()
  if (incidents === undefined) return <Loader m="xl" aria-label={t('shell.loading')} />
  if (incidents.length === 0) return <EmptyState icon="incident" title={t('incident.none')}>{t('incident.none.do')}</EmptyState>
  return <Rows incidents={incidents} picture={picture} />
}

function ClosedIncidents() {
  const { t } = useI18n()
  const query = useClosedIncidents()
  if (query.isError) return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
  if (query.data === undefined) return <Loader m="xl" aria-label={t('shell.loading')} />
  const incidents = query.data.pages.flatMap((page) => page.incidents) as Incident[]
  if (incidents.length === 0) return <EmptyState icon="incident" title={t('incident.none.closed')}>{t('incident.none.closed.do')}</EmptyState>
  return (
    <>
      <Rows incidents={incidents} />
      {query.hasNextPage ? (
        <div className={classes['more']}>
          <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t('shell.more')}</Button>
        </div>
      ) : null}
    </>
  )
}

/** Which list stands in the address, and whether somebody is reporting. */
function useIncidentsUrl() {
  const [params, setParams] = useSearchParams()
  const change = (name: 'state' | 'report', value: string | null) =>
    setParams((now) => {
      const next = new URLSearchParams(now)
      if (value === null) next.delete(name)
      else next.set(name, value)
      return next
    }, { replace: true })
  return { shown: (params.get('state') === 'closed' ? 'closed' : 'open') as Shown, isReporting: params.has('report'), change }
}

/** What goes on in the city now, most urgent first, and what is over. */
export default function IncidentsPage({ pickMap, picture }: { pickMap: PickMap; picture: Picture }) {
  const { t } = useI18n()
  const mayReport = useMay('handle_incidents')
  const { shown, isReporting, change } = useIncidentsUrl()
  const show = (next: Shown) => change('state', next === 'open' ? null : next)
  useKeys([
    { chord: 's', label: t('keys.state'), run: () => show(shown === 'open' ? 'closed' : 'open') },
    ...(mayReport ? [{ chord: 'n', label: t('keys.new'), run: () => change('report', '1') }] : []),
  ])
  return (
    <div className={classes['page']}>
      <header className={classes['tools']}>
        <h1>{t('incident.title')}</h1>
        <SegmentedControl value={shown} onChange={(value) => show(value as Shown)} aria-label={t('keys.state')} data={[{ value: 'open', label: t('incident.open') }, { value: 'closed', label: t('incident.closed') }]} />
        {mayReport ? (
          <Button onClick={() => change('report', '1')} leftSection={<Icon name="plus" size={18} />} rightSection={<KeyHint chord="n" />}>{t('incident.report')}</Button>
        ) : null}
      </header>
      <div className={classes['scroll']}>{shown === 'open' ? <OpenIncidents picture={picture} /> : <ClosedIncidents />}</div>
      {mayReport ? <ReportDialog opened={isReporting} onClose={() => change('report', null)} pickMap={pickMap} /> : null}
    </div>
  )
}
