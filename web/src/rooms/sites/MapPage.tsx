import { lazy, Suspense, useCallback, useMemo, type ReactNode } from 'react'
import { Loader } from '@mantine/core'
import { useSearchParams } from 'react-router'
import { useCameras, useCameraStates, useConfig, useMap, useSites } from '../../api/queries'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { useThrottled } from '../../lib/useThrottled'
import { EmptyState } from '../../ui/EmptyState'
import { ErrorNotice } from '../../ui/ErrorNotice'
import { readChosen, writeChosen, type Chosen } from './chosen'
import { Finder } from './Finder'
import { Legend } from './Legend'
import { nextAlert } from './map/happenings'
import { MapSide } from './MapSide'
import { useHappenings } from './useHappenings'
import classes from './Map.module.css'

const CityMapView = lazy(() => import('./map/CityMapView').then((module) => ({ default: module.CityMapView })))

/** Redrawing 1,400 marks more often than this helps nobody. */
const REDRAW_EVERY_MS = 300

/** What is chosen stands in the address. */
function useChosen(): [Chosen, (chosen: Chosen) => void] {
  const [params, setParams] = useSearchParams()
  const choose = useCallback((chosen: Chosen) => setParams(writeChosen(chosen)), [setParams])
  const chosen = useMemo(() => readChosen(params), [params])
  return [chosen, choose]
}

/** `picture`: a camera's live picture for the panel beside the map, from another room. */
export default function MapPage({ picture }: { picture?: (camera: string) => ReactNode }) {
  const { t } = useI18n()
  const [config, city, sites, cameras] = [useConfig(), useMap(), useSites(), useCameras()]
  const states = useThrottled(useCameraStates(), REDRAW_EVERY_MS)
  const happenings = useHappenings()
  const [chosen, choose] = useChosen()
  const { alerts, incidents, units, layers, hidden, turn } = happenings
  const next = nextAlert(alerts, chosen?.id ?? null)
  useKeys(next === null ? [] : [{ chord: 'n', label: t('map.keys.next'), run: () => choose({ kind: 'alert', id: next.id }) }])
  const failed = [config, city, sites, cameras].find((query) => query.isError)
  if (failed !== undefined) return <ErrorNotice error={failed.error} onRetry={() => void failed.refetch()} />
  if (!config.data || !city.data || !sites.data || !cameras.data) return <Loader m="xl" aria-label={t('shell.loading')} />
  if (cameras.data.length === 0) return <EmptyState icon="camera" title={t('map.noCameras')}>{t('map.noCameras.do')}</EmptyState>
  return (
    <div className={classes['page']}>
      <h1 className="sc-hidden">{t('map.title')}</h1>
      <div className={classes['stage']}>
        <Suspense fallback={<Loader m="xl" aria-label={t('shell.loading')} />}>
          <CityMapView config={config.data} city={city.data} sites={sites.data} cameras={cameras.data} states={states} alerts={alerts} incidents={incidents} units={units} hidden={hidden} chosen={chosen} onChoose={choose} />
        </Suspense>
        <div className={classes['over']}>
          <Finder sites={sites.data} cameras={cameras.data} onChoose={choose} />
        </div>
        <div className={classes['under']}>
          <Legend cameras={cameras.data} states={states} layers={layers} onTurn={turn} note={<p className={classes['note']}>{t('map.note')}</p>} />
        </div>
      </div>
      <aside className={classes['side']}>
        <MapSide chosen={chosen} onChoose={choose} sites={sites.data} cameras={cameras.data} states={states} happenings={happenings} picture={picture} />
      </aside>
    </div>
  )
}
