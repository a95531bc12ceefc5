import { useEffect, useMemo, useRef, useState } from 'react'
import { ActionIcon, Loader } from '@mantine/core'
import type { FeatureCollection } from 'geojson'
import type { Alert, Camera, Config, Incident, Site, Unit } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { EmptyState } from '../../../ui/EmptyState'
import { Icon } from '../../../ui/Icon'
import type { Chosen } from '../chosen'
import { unitMarks } from '../place/marks'
import type { States } from '../states'
import { CityMap } from './cityMap'
import { boundsOf, cameraMarks, siteMarks, wedges } from './features'
import { alertMarks, calling, incidentMarks } from './happenings'
import type { LayerName } from './liveLayers'
import classes from '../Map.module.css'

export interface CityMapViewProps {
  config: Config
  city: FeatureCollection
  sites: readonly Site[]
  cameras: readonly Camera[]
  states: States
  alerts: readonly Alert[]
  incidents: readonly Incident[]
  units: readonly Unit[]
  hidden: readonly LayerName[]
  chosen: Chosen
  onChoose: (chosen: Chosen) => void
}

/** Makes the map once; null until then, "failed" where the browser cannot. */
function useCityMap({ config, city, sites, onChoose }: CityMapViewProps) {
  const { language } = useI18n()
  const box = useRef<HTMLDivElement>(null)
  const [map, setMap] = useState<CityMap | 'failed' | null>(null)
  const [isDrawn, setDrawn] = useState(false)
  const choose = useRef(onChoose)
  choose.current = onChoose
  const first = useRef({ language, bounds: boundsOf(sites) })
  useEffect(() => {
    if (box.current === null) return undefined
    try {
      const made = new CityMap({ container: box.current, city, ...config.map, ...first.current, onChoose: (chosen) => choose.current(chosen), onDrawn: () => setDrawn(true) })
      setMap(made)
      return () => made.remove()
    } catch {
      setMap('failed')
      return undefined
    }
  }, [city, config])
  return { box, map, isDrawn }
}

function Controls({ map }: { map: CityMap }) {
  const { t } = useI18n()
  useKeys([
    { chord: '+', label: t('map.zoomIn'), run: () => map.zoomBy(1) },
    { chord: '-', label: t('map.zoomOut'), run: () => map.zoomBy(-1) },
    { chord: '0', label: t('map.home'), run: () => map.home() },
  ])
  return (
    <div className={classes['controls']}>
      <ActionIcon variant="default" size="lg" aria-label={t('map.zoomIn')} title={t('map.zoomIn')} onClick={() => map.zoomBy(1)}>
        <Icon name="plus" />
      </ActionIcon>
      <ActionIcon variant="default" size="lg" aria-label={t('map.zoomOut')} title={t('map.zoomOut')} onClick={() => map.zoomBy(-1)}>
        <Icon name="minus" />
      </ActionIcon>
      <ActionIcon variant="default" size="lg" aria-label={t('map.home')} title={t('map.home')} onClick={() => map.home()}>
        <Icon name="home" />
      </ActionIcon>
    </div>
  )
}

/** Keeps the marks of what happens on the map. */
function useLiveMarks(map: CityMap | null, { alerts, incidents, units, hidden }: CityMapViewProps): void {
  const isCalm = hidden.includes('alerts')
  const live = useMemo(
    () => ({ alerts: alertMarks(alerts), incidents: incidentMarks(incidents), units: unitMarks(units), pulses: isCalm ? [] : calling(alerts) }),
    [alerts, incidents, units, isCalm],
  )
  useEffect(() => map?.showLive(live), [map, live])
  useEffect(() => map?.switch(hidden), [map, hidden])
}

/** Marks what is chosen, and brings it into view once; the map does not run after a unit that drives. */
function useChosenMark(map: CityMap | null, { sites, cameras, alerts, incidents, units, chosen }: CityMapViewProps): void {
  const camera = chosen?.kind === 'camera' ? cameras.find((one) => one.id === chosen.id) : undefined
  const site = sites.find((one) => one.id === (camera?.site ?? (chosen?.kind === 'site' ? chosen.id : null)))
  const happening = { alert: alerts, incident: incidents, unit: units, camera: [], site: [] }[chosen?.kind ?? 'site'] as readonly { id: string; lon: number; lat: number }[]
  const thing = happening.find((one) => one.id === chosen?.id)
  const at = thing ?? camera ?? site
  useEffect(() => {
    map?.choose({ camera: camera?.id, site: site?.id, at: thing === undefined ? null : { lon: thing.lon, lat: thing.lat } })
  }, [map, camera?.id, site?.id, thing?.lon, thing?.lat, thing === undefined])
  useEffect(() => {
    if (at !== undefined) map?.goTo(at)
    // The objects change at each refetch; what was chosen does not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [map, at?.id])
}

export function CityMapView(props: CityMapViewProps) {
  const { t, language } = useI18n()
  const { sites, cameras, states } = props
  const { box, map, isDrawn } = useCityMap(props)
  const data = useMemo(
    () => ({ sites: siteMarks(sites, cameras, states), cameras: cameraMarks(cameras, states), wedges: wedges(cameras, states) }),
    [sites, cameras, states],
  )
  const made = map === 'failed' ? null : map
  useEffect(() => made?.show(data), [made, data])
  useEffect(() => made?.speak(language), [made, language])
  useLiveMarks(made, props)
  useChosenMark(made, props)

  if (map === 'failed') return <EmptyState icon="map" title={t('map.failed')}>{t('map.failed.do')}</EmptyState>
  return (
    <>
      <div ref={box} className={classes['map']} dir="ltr" role="application" aria-label={t('map.label')} />
      {isDrawn ? null : (
        <p className={classes['drawing']} role="status">
          <Loader size="sm" /> {t('map.drawing')}
        </p>
      )}
      {made === null ? null : <Controls map={made} />}
    </>
  )
}
