import { Loader } from '@mantine/core'
import { useCameras, useCameraStates, useHealthDetail } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { Panel } from '../../ui/Panel'
import { CameraTable } from './health/CameraTable'
import { LivePlot } from './health/LivePlot'
import { Numbers } from './health/Numbers'
import { RecorderTable } from './health/RecorderTable'
import { useLiveHistory } from './health/useLiveHistory'
import classes from './health/Health.module.css'

export default function HealthPage() {
  const { t } = useI18n()
  const detail = useHealthDetail()
  const cameras = useCameras()
  const states = useCameraStates()
  const history = useLiveHistory(states)
  if (detail.data === undefined) {
    return detail.isError ? <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} /> : <Loader m="xl" aria-label={t('shell.loading')} />
  }
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('health.title')}</h1>
      {detail.isError ? <ErrorNotice error={detail.error} onRetry={() => void detail.refetch()} /> : null}
      <Numbers detail={detail.data} states={states} />
      <div className={classes['columns']}>
        <CameraTable health={detail.data.cameras} cameras={cameras.data ?? []} states={states} />
        <div className={classes['second']}>
          <Panel title={t('health.recent')} aside={t('health.recent.kept')}>
            <LivePlot history={history} />
          </Panel>
          <RecorderTable recorders={detail.data.recorders} viewers={detail.data.gateway.viewers} />
        </div>
      </div>
    </div>
  )
}
