/** Where an alert is, by the names of its camera and site. */
import { useMemo } from 'react'
import { useCameras, useSites } from '../../../api/queries'
import { useI18n } from '../../../i18n/i18n'

export interface Place {
  camera: string
  /** Empty where the camera's own name already says it, or where nobody knows. */
  site: string
}

export function usePlaces(): (camera: string | null) => Place {
  const { t, pick } = useI18n()
  const cameras = useCameras().data
  const sites = useSites().data
  return useMemo(() => {
    const siteNames = new Map(sites?.map((site) => [site.id, pick(site)]))
    const known = new Map(cameras?.map((camera) => [camera.id, { camera: pick(camera), site: siteNames.get(camera.site) ?? '' }]))
    return (id) => {
      if (id === null) return { camera: t('alert.kind.manual'), site: '' }
      const { camera, site } = known.get(id) ?? { camera: id, site: '' }
      return { camera, site: camera.includes(site) ? '' : site }
    }
  }, [cameras, sites, pick, t])
}
