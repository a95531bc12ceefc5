import { useEffect, useMemo, useRef, useState } from 'react'
import { ActionIcon, Loader } from '@mantine/core'
import type { FeatureCollection } from 'geojson'
import type { Camera, Unit } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { EmptyState } from '../../../ui/EmptyState'
import { Icon } from '../../../ui/Icon'
import { cameraMarks, wedges } from '../map/features'
import type { States } from '../states'
import { PlaceGl, type Bounds } from './gl'
import { boundsAround, lineMarks, pointMarks, unitMarks, type PlaceLine, type PlacePoint } from './marks'
import classes from './Place.module.css'

export interface PlaceMapViewProps {
  city: FeatureCollection
  cameras: readonly Camera[]
  states: States
  points: readonly PlacePoint[]
  units: readonly Unit[]
  lines: readonly PlaceLine[]
  /** What the map keeps in sight: the first is its middle. */
  middle: { lon: number; lat: number }
  inSight: readonly { lon: number; lat: number }[]
  label: string
  onPick?: ((at: { lon: number; lat: number }) => void) | undefined
}

function usePlaceGl(city: FeatureCollection, bounds: Bounds, onPick: PlaceMapViewProps['onPick']) {
  const { language } = useI18n()
  const box = useRef<HTMLDivElement>(null)
  const [map, setMap] = useState<PlaceGl | 'failed' | null>(null)
  const [isDrawn, setDrawn] = useState(false)
  const pick = useRef(onPick)
  pick.current = onPick
  const first = useRef({ language, bounds })
  useEffect(() => {
    if (box.current === null) return undefined
    try {
      const made = new PlaceGl({ container: box.current, city, ...first.current, onPick: (at) => pick.current?.(at), onDrawn: () => setDrawn(true) })
      setMap(made)
      return () => made.remove()
    } catch {
      setMap('failed')
      return undefined
    }
  }, [city])
  return { box, map, isDrawn }
}

export function PlaceMapView({ city, cameras, states, points, units, lines, middle, inSight, label, onPick }: PlaceMapViewProps) {
  const { t, language } = useI18n()
  const bounds = boundsAround(middle, inSight)
  const { box, map, isDrawn } = usePlaceGl(city, bounds, onPick)
  const made = map === 'failed' ? null : map
  const data = useMemo(
    () => ({ cameras: cameraMarks(cameras, states), wedges: wedges(cameras, states), units: unitMarks(units), points: pointMarks(points), lines: lineMarks(lines) }),
    [cameras, states, units, points, lines],
  )
  useEffect(() => made?.show(data), [made, data])
  useEffect(() => made?.speak(language), [made, language])
  // Follows only what must stay in sight, to about a hundred metres: a map that moves by itself cannot be read.
  const sight = bounds.flat().map((one) => one.toFixed(3)).join(',')
  useEffect(() => {
    made?.fit(bounds)
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [made, sight])
  if (map === 'failed') return <EmptyState icon="map" title={t('map.failed')}>{t('map.failed.do')}</EmptyState>
  return (
    <div className={classes['place']} data-picks={onPick === undefined ? undefined : true}>
      <div ref={box} className={classes['map']} dir="ltr" role="application" aria-label={label} />
      {isDrawn ? null : <p className={classes['drawing']} role="status"><Loader size="sm" /> {t('map.drawing')}</p>}
      <ActionIcon className={classes['home'] ?? ''} variant="default" size="md" aria-label={t('map.all')} title={t('map.all')} onClick={() => made?.fit(bounds)}>
        <Icon name="home" size={18} />
      </ActionIcon>
      <p className={classes['note']} title={t('map.note')}>{t('map.note.short')}</p>
    </div>
  )
}
