import { Link, useNavigate } from 'react-router'
import { useMay } from '../../api/queries'
import type { NearCamera } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { useKeys } from '../../lib/keys'
import { KeyHint } from '../../ui/KeyHint'
import { useSay } from '../../ui/useSay'
import { LiveTile } from './LiveTile'
import classes from './NearTiles.module.css'

const SHOWN = 4
/** Nearer than this a camera stands at the place itself. */
const HERE_M = 25

/** The wall with these cameras, one of them large where it is named. */
function wallAddress(cameras: readonly NearCamera[], large: number | null): string {
  const query = new URLSearchParams({ n: '4', c: cameras.map(({ camera }) => camera).join(',') })
  if (large !== null) query.set('large', String(large))
  return `/wall?${query}`
}

/** Live pictures of the nearest cameras, each with how far it stands; a click shows it large on the wall. */
export function NearTiles({ cameras }: { cameras: readonly NearCamera[] }) {
  const { t } = useI18n()
  const { distance } = useSay()
  const navigate = useNavigate()
  const mayLive = useMay('view_live')
  const shown = [...cameras].sort((one, other) => one.distance_m - other.distance_m).slice(0, SHOWN)
  const all = wallAddress(shown, null)
  useKeys(mayLive && shown.length > 0 ? [{ chord: 'b', label: t('keys.around'), run: () => void navigate(all) }] : [])
  if (!mayLive) return <p className={classes['sentence']}>{t('incident.around.role')}</p>
  if (shown.length === 0) return <p className={classes['sentence']}>{t('incident.around.none')}</p>
  return (
    <div className={classes['near']}>
      <div className={classes['tiles']} data-count={shown.length}>
        {shown.map(({ camera, distance_m }, index) => (
          <div
            key={camera}
            className={classes['tile']}
            title={t('incident.around.larger')}
            onClick={(event) => {
              if (!(event.target as HTMLElement).closest('button, a')) void navigate(wallAddress(shown, index))
            }}
          >
            <LiveTile camera={camera} />
            <span className={classes['far']}>{distance_m < HERE_M ? t('incident.around.here') : distance(distance_m)}</span>
          </div>
        ))}
      </div>
      <Link to={all} className={classes['wall']}>
        {t('incident.around.wall')} <KeyHint chord="b" />
      </Link>
    </div>
  )
}
