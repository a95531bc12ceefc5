import { Loader, SegmentedControl } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useCameras, useCameraStates, useEdges, useHealthDetail } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Panel } from '../../ui/Panel'
import { AnalyserTable } from './health/AnalyserTable'
import { CameraTable } from './health/CameraTable'
import { EdgeTable } from './health/EdgeTable'
import { LivePlot } from './health/LivePlot'
import { Numbers } from './health/Numbers'
import { RecorderTable } from './health/RecorderTable'
import { useLiveHistory } from './health/useLiveHistory'
import { CityPlan } from './plan/CityPlan'
import { Keeping } from './store/Keeping'
import classes from './health/Health.module.css'

const VIEWS = ['now', 'store', 'plan'] as const
type View = (typeof VIEWS)[number]

/** How things stand; what keeps the recordings; what a city of some size would need. Stands in the address. */
function useView(): [View, (view: string) => void] {
  const { t } = useI18n()
  const [params, setParams] = useSearchParams()
  const view = VIEWS.find((one) => one === params.get('view')) ?? 'now'
  const show = (next: string) => setParams(next === 'now' ? {} : { view: next }, { replace: true })
  useKeys([
    { chord: 'p', label: t('plan.keys'), run: () => show(view === 'plan' ? 'now' : 'plan') },
    { chord: 's', label: t('store.keys'), run: () => show(view === 'store' ? 'now' : 'store') },
  ])
  return [view, show]
}

function Now() {
  const { t } = useI18n()
  const detail = useHealthDetail()
  const cameras = useCameras()
  const states = useCameraStates()
  const history = useLiveHistory(states)
  const edges = useEdges()
  if (detail.data === undefined) {
    return detail.isError ? <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <>
      {detail.isError ? <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} /> : null}
      <Numbers detail={detail.data} states={states} />
      <div className={classes['columns']}>
        <CameraTable health={detail.data.cameras} cameras={cameras.data ?? []} states={states} />
        <div className={classes['second']}>
          <Panel title={t('health.recent')} aside={t('health.recent.kept')}>
            <LivePlot history={history} />
          </Panel>
          <RecorderTable recorders={detail.data.recorders} viewers={detail.data.gateway.viewers} />
          <AnalyserTable analysers={detail.data.analysers} />
          <EdgeTable edges={edges.data ?? []} />
        </div>
      </div>
    </>
  )
}

export default function HealthPage() {
  const { t } = useI18n()
  const [view, show] = useView()
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('health.title')}</h1>
      <SegmentedControl className={classes['views'] ?? ''} size="xs" aria-label={t('health.title')} value={view} onChange={show} data={[{ value: 'now', label: t('health.now') }, { value: 'store', label: t('store.title') }, { value: 'plan', label: t('plan.title') }]} />
      {view === 'plan' ? <CityPlan /> : view === 'store' ? <Keeping /> : <Now />}
    </div>
  )
}
