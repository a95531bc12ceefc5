import type { ReactNode } from 'react'
import type { Camera, CameraState } from '../../api/wire'
import { useI18n } from '../../i18n/i18n'
import { count } from '../../lib/amounts'
import { useKeys } from '../../lib/keys'
import { Icon } from '../../ui/Icon'
import { Ltr } from '../../ui/Ltr'
import { StateShape } from '../../ui/StateShape'
import type { LayerName } from './map/liveLayers'
import { countByState, type States } from './states'
import live from './Live.module.css'
import classes from './Map.module.css'

const ORDER: readonly CameraState[] = ['live', 'stalled', 'offline', 'unknown']

const LAYER_ICONS = { alerts: 'queue', incidents: 'pin', units: 'unit' } as const
const LAYER_KEYS: Record<LayerName, string> = { alerts: 'a', incidents: 'i', units: 'u' }

export interface LayerChoice {
  name: LayerName
  amount: number
  isShown: boolean
}

function Switch({ layer, onTurn }: { layer: LayerChoice; onTurn: (name: LayerName) => void }) {
  const { t } = useI18n()
  const { name, amount, isShown } = layer
  const word = t(`map.layer.${name}`)
  return (
    <li>
      <button type="button" className={live['layer']} aria-pressed={isShown} title={`${t(isShown ? 'map.layer.hide' : 'map.layer.show', { what: word })} (${LAYER_KEYS[name].toUpperCase()})`} onClick={() => onTurn(name)}>
        <Icon name={LAYER_ICONS[name]} size={16} />
        <span className={classes['word']}>{word}</span> <b><Ltr>{count(amount)}</Ltr></b>
      </button>
    </li>
  )
}

interface LegendProps {
  cameras: readonly Camera[]
  states: States
  layers: readonly LayerChoice[]
  onTurn: (name: LayerName) => void
  note: ReactNode
}

/** What the marks mean, how many there are, and which kinds are drawn. */
export function Legend({ cameras, states, layers, onTurn, note }: LegendProps) {
  const { t } = useI18n()
  const counts = countByState(cameras, states)
  useKeys(layers.map(({ name, isShown }) => ({ chord: LAYER_KEYS[name], label: t(isShown ? 'map.layer.hide' : 'map.layer.show', { what: t(`map.layer.${name}`) }), run: () => onTurn(name) })))
  return (
    <>
      <div className={classes['legends']}>
        {layers.length === 0 ? null : (
          <ul className={classes['legend']} aria-label={t('map.layers')}>
            {layers.map((layer) => <Switch key={layer.name} layer={layer} onTurn={onTurn} />)}
          </ul>
        )}
        <ul className={classes['legend']} aria-label={t('map.legend')}>
          {ORDER.filter((state) => state === 'live' || counts[state] > 0).map((state) => (
            <li key={state}>
              <StateShape state={state} />
              <span className={classes['word']}>{t(`state.${state}`)}</span> <b><Ltr>{count(counts[state])}</Ltr></b>
            </li>
          ))}
        </ul>
      </div>
      {note}
    </>
  )
}
