import type { ReactNode } from 'react'
import { Button } from '@mantine/core'
import { Link, useNavigate } from 'react-router'
import { useMap, useMay, useSession } from '../../api/queries'
import type { Camera, Site } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { causePhrase } from '../../ui/cause'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { Panel } from '../../ui/Panel'
import { StateBadge } from '../../ui/StateBadge'
import { useTime } from '../../ui/useTime'
import { CloseButton } from './CloseButton'
import { DemoFaults } from './DemoFaults'
import type { Chosen } from './chosen'
import { stateOf, wind, type States } from './states'
import live from './Live.module.css'
import classes from './Map.module.css'

interface CameraPanelProps {
  camera: Camera
  site: Site | undefined
  states: States
  onChoose: (chosen: Chosen) => void
  /** Its live picture, from another room. */
  picture?: ((camera: string) => ReactNode) | undefined
}

/** To the picture, where the person may see it now; else why not. */
function Pictures({ camera, picture }: { camera: string; picture: CameraPanelProps['picture'] }) {
  const { t } = useI18n()
  const navigate = useNavigate()
  const session = useSession().data
  const mayLive = useMay('view_live')
  const mayPlayback = useMay('view_recordings')
  const [wall, playback] = [`/wall?c=${encodeURIComponent(camera)}&n=1`, `/playback?camera=${encodeURIComponent(camera)}`]
  useKeys([
    ...(mayLive ? [{ chord: 'Enter', label: t('camera.live'), run: () => void navigate(wall) }] : []),
    ...(mayPlayback ? [{ chord: 'p', label: t('camera.playback'), run: () => void navigate(playback) }] : []),
  ])
  if (!mayLive && !mayPlayback) return <p className={classes['sub']}>{t('camera.noPictures')}</p>
  return (
    <>
      {picture !== undefined && mayLive && session?.shift !== null ? <div className={live['picture']}>{picture(camera)}</div> : null}
      <div className={classes['actions']}>
        {mayLive ? (
          <Button component={Link} to={wall} leftSection={<Icon name="camera" size={18} />}>
            {t('camera.live')}
          </Button>
        ) : null}
        {mayPlayback ? (
          <Button component={Link} to={playback} variant="default" leftSection={<Icon name="playback" size={18} />}>
            {t('camera.playback')}
          </Button>
        ) : null}
      </div>
      {session?.shift === null ? <p className={classes['sub']}>{t('camera.needsShift')}</p> : null}
    </>
  )
}

/** Gates are named on the map; the id stands in where the map does not know one. */
function useGateName(): (gate: string) => string {
  const { pick } = useI18n()
  const features = useMap().data?.features
  return (gate) => {
    const found = features?.find(({ properties }) => properties?.['kind'] === 'gate' && properties['id'] === gate)?.properties
    return typeof found?.['name'] === 'string' ? pick({ name: found['name'], name_ur: String(found['name_ur'] ?? '') }) : gate
  }
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

export function CameraPanel({ camera, site, states, onChoose, picture }: CameraPanelProps) {
  const { t, pick } = useI18n()
  const time = useTime()
  const gateName = useGateName()
  const entry = stateOf(camera, states)
  const cause = causePhrase(entry.cause)
  return (
    <Panel fill title={pick(camera)} aside={<CloseButton onClose={() => onChoose(null)} />}>
      <div className={classes['state']} data-testid="camera-state">
        <StateBadge state={entry.state} />
        <span>{t('health.since')}: {time.seen(entry.since)}</span>
      </div>
      {cause === null ? null : <p className={classes['cause']}>{t(cause)}</p>}
      <Pictures camera={camera.id} picture={picture} />
      <dl className={classes['facts']}>
        <Fact name={t('camera.code')}><Ltr>{camera.code}</Ltr></Fact>
        {site === undefined ? null : (
          <Fact name={t('camera.site')}>
            <button type="button" className={classes['link']} onClick={() => onChoose({ kind: 'site', id: site.id })}>
              {pick(site)}
            </button>
          </Fact>
        )}
        {camera.gate === null ? null : <Fact name={t('camera.gate')}>{gateName(camera.gate)}</Fact>}
        {camera.bearing_deg === null ? null : (
          <Fact name={t('camera.looks')}>
            {t(`compass.${wind(camera.bearing_deg)}`)} <Ltr>({Math.round(camera.bearing_deg)}°)</Ltr>
          </Fact>
        )}
        {camera.fov_deg === null ? null : <Fact name={t('camera.view')}><Ltr>{Math.round(camera.fov_deg)}°{camera.range_m === null ? '' : `, ${Math.round(camera.range_m)} m`}</Ltr></Fact>}
        <Fact name={t('camera.position')}><Ltr>{camera.lat.toFixed(5)}, {camera.lon.toFixed(5)}</Ltr></Fact>
      </dl>
      <div className={classes['faults']}>
        <DemoFaults camera={camera.id} />
      </div>
    </Panel>
  )
}
