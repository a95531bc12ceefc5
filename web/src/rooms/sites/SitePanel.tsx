import type { Camera, Site } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { Panel } from '../../ui/Panel'
import { CameraLine } from './CameraLine'
import { CloseButton } from './CloseButton'
import type { Chosen } from './chosen'
import { camerasOf, stateOf, type States } from './states'
import classes from './Map.module.css'

interface SitePanelProps {
  site: Site
  cameras: readonly Camera[]
  states: States
  onChoose: (chosen: Chosen) => void
}

export function SitePanel({ site, cameras, states, onChoose }: SitePanelProps) {
  const { t, pick } = useI18n()
  const here = camerasOf(site, cameras)
  return (
    <Panel fill title={pick(site)} aside={<CloseButton onClose={() => onChoose(null)} />}>
      <p className={classes['sub']}>
        {t('site.cameras', { count: here.length })}
      </p>
      <ul className={classes['lines']}>
        {here.map((camera) => (
          <CameraLine key={camera.id} camera={camera} entry={stateOf(camera, states)} onOpen={(id) => onChoose({ kind: 'camera', id })} />
        ))}
      </ul>
    </Panel>
  )
}
