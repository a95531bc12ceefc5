import { lazy, Suspense, useCallback } from 'react'
import { Loader } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useCameras, useCameraStates, useConfig, useMap, useSites } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { useThrottled } from '../../lib/useThrottled'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { AttentionList } from './AttentionList'
import { CameraPanel } from './CameraPanel'
import { Finder } from './Finder'
import { Legend } from './Legend'
import type { Chosen } from './map/cityMap'
import { SitePanel } from './SitePanel'
import classes from './Map.module.css'

const CityMapView = lazy(() => import('./map/CityMapView').then((module) => ({ default: module.CityMapView })))

/** Redrawing 1,400 marks more often than this helps nobody. */
const REDRAW_EVERY_MS = 300

/** What is chosen stands in the address. */
function useChosen(): [Chosen, (chosen: Chosen) => void] {
  const [params, setParams] = useSearchParams()
  const choose = useCallback(
    ({ camera, site }: Chosen) => setParams(camera !== null ? { camera } : site !== null ? { site } : {}),
    [setParams],
  )
  return [{ camera: params.get('camera'), site: params.get('site') }, choose]
}

export default function MapPage() {
  const { t } = useI18n()
  const [config, city, sites, cameras] = [useConfig(), useMap(), useSites(), useCameras()]
  const states = useThrottled(useCameraStates(), REDRAW_EVERY_MS)
  const [chosen, choose] = useChosen()
  const failed = [config, city, sites, cameras].find((query) => query.isError)
  if (failed !== undefined) return <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />
  if (!config.data || !city.data || !sites.data || !cameras.data) return <Loader m="xl" aria-label={t('shell.loading')} />
  if (cameras.data.length === 0) return <EmptyState icon="camera" title={t('map.noCameras')}>{t('map.noCameras.do')}</EmptyState>

  const camera = cameras.data.find((one) => one.id === chosen.camera)
  const site = sites.data.find((one) => one.id === chosen.site)
  const side =
    camera !== undefined ? (
      <CameraPanel camera={camera} site={sites.data.find((one) => one.id === camera.site)} states={states} onChoose={choose} />
    ) : site !== undefined ? (
      <SitePanel site={site} cameras={cameras.data} states={states} onChoose={choose} />
    ) : (
      <AttentionList cameras={cameras.data} states={states} onChoose={choose} />
    )
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('map.title')}</h1>
      <div className={classes['stage']}>
        <Suspense fallback={<Loader m="xl" aria-label={t('shell.loading')} />}>
          <CityMapView config={config.data} city={city.data} sites={sites.data} cameras={cameras.data} states={states} chosen={chosen} onChoose={choose} />
        </Suspense>
        <div className={classes['over']}>
          <Finder sites={sites.data} cameras={cameras.data} onChoose={choose} />
        </div>
        <div className={classes['under']}>
          <Legend cameras={cameras.data} states={states} />
          <p className={classes['note']}>{t('map.note')}</p>
        </div>
      </div>
      <aside className={classes['side']}>{side}</aside>
    </div>
  )
}
