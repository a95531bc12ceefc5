import { useEffect, useMemo, useRef, useState } from 'react'
import { ActionIcon, Loader } from '@mantine/core'
import type { FeatureCollection } from 'geojson'
import type { Camera, Config, Site } from '../../../api/wire'
import { useI18n } from '../../../i18n/i18n'
import { useKeys } from '../../../lib/keys'
import { EmptyState } from '../../../ui/EmptyState'
import { Icon } from '../../../ui/Icon'
import type { States } from '../states'
import { CityMap, type Chosen } from './cityMap'
import { boundsOf, cameraMarks, siteMarks, wedges } from './features'
import classes from '../Map.module.css'

export interface CityMapViewProps {
  config: Config
  city: FeatureCollection
  sites: readonly Site[]
  cameras: readonly Camera[]
  states: States
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

export function CityMapView(props: CityMapViewProps) {
  const { t, language } = useI18n()
  const { sites, cameras, states, chosen } = props
  const { box, map, isDrawn } = useCityMap(props)
  const data = useMemo(
    () => ({ sites: siteMarks(sites, cameras, states), cameras: cameraMarks(cameras, states), wedges: wedges(cameras, states) }),
    [sites, cameras, states],
  )
  const made = map === 'failed' ? null : map
  useEffect(() => made?.show(data), [made, data])
  useEffect(() => made?.speak(language), [made, language])

  const camera = cameras.find((one) => one.id === chosen.camera)
  const site = sites.find((one) => one.id === (camera?.site ?? chosen.site))
  useEffect(() => {
    made?.choose(camera?.id ?? null, site?.id ?? null)
    const at = camera ?? site
    if (at !== undefined) made?.goTo(at)
    // The position of a thing does not change while it is chosen; the objects do, at each refetch.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [made, camera?.id, site?.id])

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
