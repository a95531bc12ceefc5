import type { Camera, CameraState } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { Ltr } from '../../ui/Ltr'
import { StateShape } from '../../ui/StateShape'
import { countByState, type States } from './states'
import classes from './Map.module.css'

const ORDER: readonly CameraState[] = ['live', 'stalled', 'offline', 'unknown']

export function Legend({ cameras, states }: { cameras: readonly Camera[]; states: States }) {
  const { t } = useI18n()
  const counts = countByState(cameras, states)
  return (
    <ul className={classes['legend']} aria-label={t('map.legend')}>
      {ORDER.filter((state) => state === 'live' || counts[state] > 0).map((state) => (
        <li key={state}>
          <StateShape state={state} />
          <span className={classes['word']}>{t(`state.${state}`)}</span> <b><Ltr>{count(counts[state])}</Ltr></b>
        </li>
      ))}
    </ul>
  )
}
