import { lazy, Suspense, useMemo } from 'react'
import { Loader } from '@mantine/core'
import { useCameras, useCameraStates, useMap } from '../../api/queries'
import type { Unit } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useThrottled } from '../../lib/useThrottled'
import { ErrorNotice } from '../../ui/ErrorNotice'
import type { PlaceLine, PlacePoint } from './place/marks'

export type { PlaceLine, PlacePoint } from './place/marks'

const PlaceMapView = lazy(() => import('./place/PlaceMapView').then((module) => ({ default: module.PlaceMapView })))

const REDRAW_EVERY_MS = 1000

interface PlaceMapProps {
  label: string
  points: readonly PlacePoint[]
  /** Ids of the cameras to show. */
  cameras: readonly string[]
  units: readonly Unit[]
  lines: readonly PlaceLine[]
  middle: { lon: number; lat: number }
  inSight: readonly { lon: number; lat: number }[]
  onPick?: (at: { lon: number; lat: number }) => void
}

/** A small map of one place: what happened there, the cameras around it, the units and the line to it. */
export function PlaceMap({ cameras, ...shown }: PlaceMapProps) {
  const { t } = useI18n()
  const [city, registry] = [useMap(), useCameras()]
  const states = useThrottled(useCameraStates(), REDRAW_EVERY_MS)
  const near = useMemo(() => (registry.data ?? []).filter((camera) => cameras.includes(camera.id)), [registry.data, cameras])
  if (city.isError) return <ErrorNotice error={city.error} onRetry={() => void city.refetch()} />
  if (city.data === undefined) return <Loader m="md" aria-label={t('shell.loading')} />
  return (
    <Suspense fallback={<Loader m="md" aria-label={t('shell.loading')} />}>
      <PlaceMapView city={city.data} states={states} {...shown} cameras={near} />
    </Suspense>
  )
}
